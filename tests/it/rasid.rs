//! The binary under test, with a configuration of its own in a temporary directory.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// A configuration directory and a store that vanish with it.
pub struct Home {
    pub dir: tempfile::TempDir,
}

impl Home {
    /// `fetch` is put under `[fetch]`, `feeds` is the whole of `feeds.toml`.
    pub fn new(fetch: &str, feeds: &str) -> Self {
        Self::bare(&format!("allow_private = [\"127.0.0.1\"]\nhost_gap = \"0ms\"\n{fetch}"), feeds)
    }

    /// As [`Home::new`], with nothing under `[fetch]` but `fetch`.
    pub fn bare(fetch: &str, feeds: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let home = Self { dir };
        home.write(
            "rasid.toml",
            &format!(
                "[store]\npath = \"data\"\ncache = \"16MiB\"\n[server]\nlisten = \"127.0.0.1:0\"\n[fetch]\n{fetch}\n"
            ),
        );
        home.write("feeds.toml", feeds);
        let topics = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/topics.toml");
        std::fs::copy(topics, home.path("topics.toml")).unwrap();
        home
    }

    /// Listens at an address that stays the same over restarts, and lets in who has the token. The address.
    pub fn listens(&self, token: &str) -> String {
        let address = free_address();
        let config = std::fs::read_to_string(self.path("rasid.toml")).unwrap();
        let listen = format!("listen = \"{address}\"\ntoken = \"{token}\"");
        self.write("rasid.toml", &config.replace("listen = \"127.0.0.1:0\"", &listen));
        format!("http://{address}")
    }

    /// With the shipped corpora.
    pub fn corpus(&self) {
        std::fs::create_dir_all(self.path("corpus")).unwrap();
        for pack in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("config/corpus")).unwrap() {
            let pack = pack.unwrap();
            std::fs::copy(pack.path(), self.path("corpus").join(pack.file_name())).unwrap();
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// `rasid ARGS` with this configuration.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rasid"));
        command.args(args).arg("--config").arg(self.dir.path()).env_remove("RASID_CONFIG").env("RASID_LOG", "warn");
        command.stdin(Stdio::null());
        command
    }

    pub fn rasid(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// Standard output of a command that must end well.
    pub fn ok(&self, args: &[&str]) -> String {
        let output = self.rasid(args);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "rasid {args:?}: {:?}\n{errors}", output.status);
        String::from_utf8(output.stdout).unwrap()
    }

    /// The daemon, started and answering.
    pub fn daemon(&self) -> Daemon {
        let child = self.command(&["run"]).stdout(Stdio::null()).spawn().unwrap();
        Daemon { child: Some(child) }
    }

    /// As [`Home::daemon`], one that keeps its warnings to itself.
    pub fn quiet_daemon(&self) -> Daemon {
        let child = self.command(&["run"]).env("RASID_LOG", "error").stdout(Stdio::null()).spawn().unwrap();
        Daemon { child: Some(child) }
    }

    /// Whether a daemon answers on the socket.
    pub fn answers(&self) -> bool {
        std::os::unix::net::UnixStream::connect(self.path("data/rasid.sock")).is_ok()
    }

    /// Waits until a daemon answers.
    pub fn wait_until_it_answers(&self) {
        wait_for("the daemon to answer", || self.answers());
    }
}

/// A running daemon; killed when dropped.
pub struct Daemon {
    child: Option<Child>,
}

impl Daemon {
    /// Of the process.
    pub fn id(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// SIGKILL.
    pub fn kill(mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// SIGTERM, and its exit status.
    pub fn terminate(mut self) -> std::process::ExitStatus {
        let mut child = self.child.take().unwrap();
        let killed = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
        assert!(killed.success());
        child.wait().unwrap()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _dead = child.kill();
            let _reaped = child.wait();
        }
    }
}

/// An address on loopback to listen at, again and again: its port is none of those that connections get by themselves, so
/// that nothing takes it while nobody listens.
pub fn free_address() -> std::net::SocketAddr {
    let mut address = ([127, 0, 0, 1], 0).into();
    wait_for("a free port", || {
        address = ([127, 0, 0, 1], fastrand::u16(12_000..32_000)).into();
        std::net::TcpListener::bind(address).is_ok()
    });
    address
}

/// Looks again and again until it holds; fails after four minutes: a machine that builds at the same time is slow.
pub fn wait_for(what: &str, mut holds: impl FnMut() -> bool) {
    let start = std::time::Instant::now();
    while !holds() {
        assert!(start.elapsed().as_secs() < 240, "waited four minutes for {what}");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}
