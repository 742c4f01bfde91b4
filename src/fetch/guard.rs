//! Which addresses may be connected to.
//!
//! In: an address of the web, or what a name resolved to. Out: leave, or a [`Refused`] that says why.
//! Promise: nothing of this machine, a private network or a special range is reached, whatever spelling or name leads to
//! it, unless `allow_private` lets it through: a host name, an address or a network (CIDR). A name that is allowed may
//! resolve to anything; everything else is judged by the address it resolves to, at the moment of connecting, so a name
//! that resolves differently the second time gains nothing. Names in `resolve` have their address from there instead of
//! from DNS, and it is judged the same.
//! Not here: what happens behind a proxy. A proxy resolves names itself; only addresses and `localhost` are refused there.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use crate::fetch::error::Unresolved;

/// An address that is not connected to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refused {
    #[error("`{0}` is not http or https")]
    Scheme(String),
    #[error("there is no host in it")]
    NoHost,
    #[error("the address {0} is {1}, which is not the public web")]
    Address(IpAddr, &'static str),
    #[error("`{0}` resolves to {1}, {2}, which is not the public web")]
    Resolved(String, IpAddr, &'static str),
    #[error("`{0}` is a name of this machine")]
    Local(String),
}

/// What `allow_private` lets through, and the names whose addresses `resolve` tells.
#[derive(Clone, Debug, Default)]
pub(super) struct Guard {
    names: HashSet<String>,
    networks: Vec<IpNet>,
    told: HashMap<String, IpAddr>,
}

enum Allowed {
    Name(String),
    Network(IpNet),
}

fn allowed(entry: &str) -> Result<Allowed, String> {
    let text = entry.trim();
    let inner = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
    if let Ok(network) = inner.parse::<IpNet>() {
        return Ok(Allowed::Network(network));
    }
    if let Ok(address) = inner.parse::<IpAddr>() {
        return Ok(Allowed::Network(address.into()));
    }
    let wrong = || format!("`{entry}` is not a host name, an address or a network such as 10.0.0.0/8");
    if text.is_empty() || text.contains(['/', ':', '@', '*', ' ']) {
        return Err(wrong());
    }
    match Host::parse(text) {
        Ok(Host::Domain(name)) => Ok(Allowed::Name(name.trim_end_matches('.').to_owned())),
        Ok(Host::Ipv4(address)) => Ok(Allowed::Network(IpAddr::from(address).into())),
        Ok(Host::Ipv6(address)) => Ok(Allowed::Network(IpAddr::from(address).into())),
        Err(_) => Err(wrong()),
    }
}

/// What is wrong with the entries of `allow_private`, in words; empty when nothing is.
pub fn check_allow(entries: &[String]) -> Vec<String> {
    entries.iter().filter_map(|entry| allowed(entry).err()).collect()
}

/// What is wrong with the names in `resolve`, in words; empty when nothing is.
pub fn check_resolve(table: &BTreeMap<String, IpAddr>) -> Vec<String> {
    table.keys().filter_map(|name| named(name).err()).collect()
}

/// A host's name as addresses of the web have it: lower case, in ASCII, without a dot at its end.
fn named(text: &str) -> Result<String, String> {
    let wrong = || format!("`{text}` is not the name of a host, such as news.example");
    if text.contains(['/', ':', '@', '*', ' ']) {
        return Err(wrong());
    }
    match Host::parse(text) {
        Ok(Host::Domain(name)) => Ok(name.trim_end_matches('.').to_owned()),
        _ => Err(wrong()),
    }
}

impl Guard {
    /// The guard that lets `entries` through and takes the addresses of the names in `resolve` from there.
    pub(super) fn new(entries: &[String], resolve: &BTreeMap<String, IpAddr>) -> Result<Self, String> {
        let mut guard = Self::default();
        for entry in entries {
            guard.allow(entry)?;
        }
        guard.told = resolve.iter().map(|(name, ip)| Ok((named(name)?, *ip))).collect::<Result<_, String>>()?;
        Ok(guard)
    }

    /// Lets one more host, address or network through.
    pub(super) fn allow(&mut self, entry: &str) -> Result<(), String> {
        match allowed(entry)? {
            Allowed::Name(name) => drop(self.names.insert(name)),
            Allowed::Network(network) => self.networks.push(network),
        }
        Ok(())
    }

    /// Judges what an address says of itself, before anything is resolved. An address in numbers never reaches the
    /// resolver, so this is where it is judged, in the one spelling that the `url` crate makes of all of them.
    pub(super) fn check_url(&self, url: &Url) -> Result<(), Refused> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Refused::Scheme(url.scheme().to_owned()));
        }
        match url.host() {
            None => Err(Refused::NoHost),
            Some(Host::Ipv4(address)) => self.check_literal(address.into()),
            Some(Host::Ipv6(address)) => self.check_literal(address.into()),
            Some(Host::Domain(name)) => {
                let name = name.trim_end_matches('.');
                // RFC 6761: these never mean anything but this machine, whatever a resolver says.
                let local = name == "localhost" || name.ends_with(".localhost");
                if local && !self.names.contains(name) && !self.allows_loopback() {
                    return Err(Refused::Local(name.to_owned()));
                }
                Ok(())
            }
        }
    }

    fn allows_loopback(&self) -> bool {
        self.networks.iter().any(|network| network.addr().is_loopback())
    }

    fn check_literal(&self, address: IpAddr) -> Result<(), Refused> {
        self.judge(address).map_err(|why| Refused::Address(address, why))
    }

    fn judge(&self, address: IpAddr) -> Result<(), &'static str> {
        match not_public(address) {
            Some(why) if !self.networks.iter().any(|network| network.contains(&address)) => Err(why),
            _ => Ok(()),
        }
    }

    /// The addresses of `name` that may be connected to; refused when none of them may.
    pub(super) fn filter(&self, name: &str, found: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, Refused> {
        if self.names.contains(name.trim_end_matches('.').to_ascii_lowercase().as_str()) {
            return Ok(found);
        }
        let mut refused = None;
        let mut left = Vec::with_capacity(found.len());
        for address in found {
            match self.judge(address.ip()) {
                Ok(()) => left.push(address),
                Err(why) => refused = Some(Refused::Resolved(name.to_owned(), address.ip(), why)),
            }
        }
        match refused {
            Some(refused) if left.is_empty() => Err(refused),
            _ => Ok(left),
        }
    }
}

/// `resolve` and the system's resolver behind the guard: what a connection is made to is what was judged.
#[derive(Clone, Debug)]
pub(super) struct GuardedResolver(pub(super) Arc<Guard>);

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.0.clone();
        Box::pin(async move {
            let name = name.as_str();
            let found: Vec<SocketAddr> = match guard.told.get(name.trim_end_matches('.').to_ascii_lowercase().as_str())
            {
                Some(told) => vec![SocketAddr::new(*told, 0)],
                None => {
                    tokio::net::lookup_host((name, 0)).await.map_err(|error| Unresolved(error.to_string()))?.collect()
                }
            };
            if found.is_empty() {
                return Err(Unresolved("it has no address".to_owned()).into());
            }
            let left = guard.filter(name, found)?;
            Ok(Box::new(left.into_iter()) as Addrs)
        })
    }
}

const fn v4(a: u8, b: u8, c: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, 0), prefix)
}

const fn v6(a: u16, b: u16, prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, 0, 0, 0, 0, 0, 0), prefix)
}

/// The IANA registry of special addresses, <https://www.iana.org/assignments/iana-ipv4-special-registry>.
const SPECIAL_V4: [(Ipv4Net, &str); 15] = [
    (v4(0, 0, 0, 8), "an unspecified address"),
    (v4(10, 0, 0, 8), "a private address"),
    (v4(100, 64, 0, 10), "a provider's internal address"),
    (v4(127, 0, 0, 8), "this machine"),
    (v4(169, 254, 0, 16), "a link-local address"),
    (v4(172, 16, 0, 12), "a private address"),
    (v4(192, 0, 0, 24), "a protocol address"),
    (v4(192, 0, 2, 24), "a documentation address"),
    (v4(192, 88, 99, 24), "a 6to4 relay"),
    (v4(192, 168, 0, 16), "a private address"),
    (v4(198, 18, 0, 15), "a benchmarking address"),
    (v4(198, 51, 100, 24), "a documentation address"),
    (v4(203, 0, 113, 24), "a documentation address"),
    (v4(224, 0, 0, 4), "a multicast address"),
    (v4(240, 0, 0, 4), "a reserved or broadcast address"),
];

/// Only 2000::/3 is public; within it, these are not. The first ones are named for the sake of the message.
const SPECIAL_V6: [(Ipv6Net, &str); 12] = [
    (Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128), "this machine"),
    (Ipv6Net::new_assert(Ipv6Addr::UNSPECIFIED, 128), "an unspecified address"),
    (Ipv6Net::new_assert(Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96), "an IPv4 address in disguise"),
    (v6(0x64, 0xff9b, 32), "an IPv4 address behind NAT64"),
    (v6(0xfc00, 0, 7), "a private address"),
    (v6(0xfe80, 0, 10), "a link-local address"),
    (v6(0xfec0, 0, 10), "a private address"),
    (v6(0xff00, 0, 8), "a multicast address"),
    (v6(0x2001, 0, 23), "a Teredo or protocol address"),
    (v6(0x2001, 0xdb8, 32), "a documentation address"),
    (v6(0x2002, 0, 16), "a 6to4 address"),
    (v6(0x3fff, 0, 20), "a documentation address"),
];

const PUBLIC_V6: Ipv6Net = v6(0x2000, 0, 3);

fn not_public(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => SPECIAL_V4.iter().find(|(network, _)| network.contains(&address)).map(|(_, why)| *why),
        IpAddr::V6(address) => SPECIAL_V6
            .iter()
            .find(|(network, _)| network.contains(&address))
            .map(|(_, why)| *why)
            .or_else(|| (!PUBLIC_V6.contains(&address)).then_some("a reserved address")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(entries: &[&str]) -> Guard {
        Guard::new(&entries.iter().map(|entry| (*entry).to_owned()).collect::<Vec<_>>(), &BTreeMap::new()).unwrap()
    }

    fn passes(guard: &Guard, url: &str) -> bool {
        guard.check_url(&Url::parse(url).unwrap()).is_ok()
    }

    #[test]
    fn t21_every_spelling_of_a_special_address_is_refused() {
        let guard = Guard::default();
        for host in [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0177.0.0.1",
            "127.0.0.1.",
            "１２７.0.0.1",
            "0",
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "192.0.2.7",
            "198.18.0.1",
            "203.0.113.9",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "[::]",
            "[::1]",
            "[::127.0.0.1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:8.8.8.8]",
            "[64:ff9b::7f00:1]",
            "[64:ff9b:1::1]",
            "[2002:7f00:1::]",
            "[2001::1]",
            "[2001:db8::1]",
            "[3fff::1]",
            "[fc00::1]",
            "[fd12::1]",
            "[fe80::1]",
            "[fec0::1]",
            "[ff02::1]",
            "[100::1]",
            "[5f00::1]",
            "localhost",
            "LOCALHOST.",
            "a.localhost",
        ] {
            assert!(!passes(&guard, &format!("http://{host}/")), "{host}");
        }
        for host in ["8.8.8.8", "172.32.0.1", "100.128.0.1", "192.0.3.1", "[2606:4700::1111]", "example.com", "٨.8.8.8"]
        {
            assert!(
                Url::parse(&format!("http://{host}/")).is_err() || passes(&guard, &format!("http://{host}/")),
                "{host}"
            );
        }
        for url in ["ftp://example.com/", "file:///etc/passwd", "data:,x", "gopher://example.com/"] {
            assert!(!passes(&guard, url), "{url}");
        }
    }

    #[test]
    fn t21_only_what_is_allowed_passes() {
        let some = guard(&["127.0.0.1", "10.0.0.0/8", "intern.example", "[fd00::1]"]);
        for url in ["http://127.0.0.1:8080/", "http://2130706433/", "https://10.9.8.7/", "http://[fd00::1]/"] {
            assert!(passes(&some, url), "{url}");
        }
        for url in ["http://127.0.0.2/", "http://[::ffff:127.0.0.1]/", "http://[::1]/", "http://11.0.0.1.nip.io./"] {
            assert!(!passes(&some, url) || url.contains("nip"), "{url}");
        }
    }

    #[test]
    fn t21_names_are_judged_by_what_they_resolve_to() {
        let some = guard(&["Intern.Example.", "192.168.0.0/16"]);
        let at = |ip: &str| SocketAddr::new(ip.parse().unwrap(), 0);
        assert!(matches!(some.filter("evil.example", vec![at("127.0.0.1")]), Err(Refused::Resolved(..))));
        assert_eq!(some.filter("mixed.example", vec![at("10.0.0.1"), at("8.8.8.8")]), Ok(vec![at("8.8.8.8")]));
        assert_eq!(some.filter("lan.example", vec![at("192.168.3.3")]), Ok(vec![at("192.168.3.3")]));
        assert_eq!(some.filter("intern.example", vec![at("10.0.0.1")]), Ok(vec![at("10.0.0.1")]));
    }

    #[test]
    fn entries_of_the_allow_list_are_checked() {
        let good =
            ["127.0.0.1", "::1", "[::1]", "10.0.0.0/8", "fd00::/8", "intern.example", "localhost", "موقع.example"];
        assert_eq!(check_allow(&good.map(str::to_owned)), Vec::<String>::new());
        for bad in ["", "http://a.example/", "10.0.0.0/99", "*.example", "a b", "a.example:80"] {
            assert_eq!(check_allow(&[bad.to_owned()]).len(), 1, "{bad}");
        }
    }
}
