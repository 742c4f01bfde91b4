//! `rasid token`, and a daemon that knows of it.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::rasid::Home;

#[test]
fn a_token_is_made_listed_and_revoked() {
    let home = Home::new("", "");
    let secret = home.ok(&["token", "add", "desk", "--scope", "read,consume", "--expires", "90d"]);
    assert!(secret.starts_with("rasid_") && secret.trim().len() == 70, "{secret}");
    let path = home.path("data/tokens.json");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!std::fs::read_to_string(&path).unwrap().contains(secret.trim()));

    let listed: Value = serde_json::from_str(&home.ok(&["token", "list", "--json"])).unwrap();
    assert_eq!((listed[0]["name"].as_str(), listed[0]["last_used"].as_str()), (Some("desk"), None));
    assert_eq!(listed[0]["scopes"], serde_json::json!(["read", "consume"]));
    assert!(listed[0].get("hash").is_none() && listed[0]["expires"].is_string(), "{listed}");
    assert!(home.ok(&["token", "list"]).contains("desk\tread,consume"));

    for (args, code, said) in [
        (&["token", "add", "desk"][..], 1, "there is a token `desk`"),
        (&["token", "add", "x", "--scope", "write"], 2, "no scope"),
        (&["token", "add", "x", "--expires", "90"], 2, "not a time"),
        (&["token", "add", "a b"], 1, "does not fit"),
        (&["token", "revoke", "nobody"], 1, "no token `nobody`"),
    ] {
        let output = home.rasid(args);
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{args:?}: {errors}");
        assert!(errors.contains(said), "{args:?}: {errors}");
    }
    home.ok(&["token", "revoke", "desk"]);
    assert_eq!(home.ok(&["token", "list", "--json"]).trim(), "[]");
}

/// An address that others reach needs a token, and one can be made before there is any.
#[test]
fn the_first_token_opens_an_address_that_others_reach() {
    let home = Home::new("", "");
    let settings = std::fs::read_to_string(home.path("rasid.toml")).unwrap();
    home.write("rasid.toml", &settings.replace("127.0.0.1:0", "0.0.0.0:0"));
    for command in ["check", "run"] {
        let refused = home.rasid(&[command]);
        assert_eq!(refused.status.code(), Some(78), "{command}");
        assert!(String::from_utf8_lossy(&refused.stderr).contains("rasid token add"), "{command}");
    }
    home.ok(&["token", "add", "first"]);
    home.ok(&["check"]);
    let daemon = home.daemon();
    home.wait_until_it_answers();
    assert!(daemon.terminate().success());
    home.ok(&["token", "revoke", "first"]);
    assert_eq!(home.rasid(&["check"]).status.code(), Some(78));
    // What is broken is told, not taken for none.
    home.write("data/tokens.json", "nonsense");
    assert!(String::from_utf8_lossy(&home.rasid(&["check"]).stderr).contains("no file of tokens"));
}
