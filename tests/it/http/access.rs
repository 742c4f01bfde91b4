//! Who may call what: every route, every scope, every door.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::{Method, Request};
use jiff::Timestamp;
use rasid::serve::{self, Access, Router, Scope, ServerConfig, TokenFile};
use tower::ServiceExt as _;

use crate::read_api::{World, now};

/// Only the status: some of these answers have no end.
async fn status(router: &Router, method: &Method, target: &str, token: Option<&str>) -> u16 {
    let mut request = Request::builder().method(method).uri(target).header("host", "127.0.0.1:7878");
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let request = request.header("content-type", "application/json").body(Full::<Bytes>::from("{}")).unwrap();
    router.clone().oneshot(request).await.unwrap().status().as_u16()
}

/// Whether a request came as far as the handler.
fn is_in(status: u16) -> bool {
    !matches!(status, 401 | 403)
}

#[tokio::test]
async fn every_route_lets_in_who_may_and_nobody_else() {
    let mut world = World::with_items(3);
    // Nobody takes orders: whoever gets that far is told so.
    world.hang_up();
    let file = TokenFile::of(world.dir.path());
    let mut tokens = Vec::new();
    for scope in Scope::ALL {
        tokens.push((Some(scope), file.add(scope.name(), &[scope], None, now()).unwrap()));
    }
    let expired = file.add("expired", &[Scope::Admin], Some(now()), now()).unwrap();
    let revoked = file.add("revoked", &[Scope::Admin], None, now()).unwrap();
    assert_eq!(file.revoke("revoked"), Ok(true));
    let configured = "a-token-of-the-configuration".to_owned();
    tokens.extend([(None, expired), (None, revoked), (None, "rasid_0000".to_owned()), (None, String::new())]);
    tokens.push((Some(Scope::Admin), configured.clone()));

    let path = Some(world.dir.path().join(serve::TOKENS));
    let loopback = ServerConfig { token: Some(configured), tokens: path.clone(), ..ServerConfig::default() };
    let reachable = ServerConfig { listen: "0.0.0.0:7878".parse().unwrap(), ..loopback.clone() };
    let bare = ServerConfig::default();
    let bare_reachable = ServerConfig { listen: reachable.listen, ..bare.clone() };
    let [loopback, reachable, bare, bare_reachable] = [loopback, reachable, bare, bare_reachable]
        .map(|config| serve::tcp_router(&config, world.state.clone()).unwrap());

    let routes = serve::routes();
    assert!(routes.len() > 50, "the table was not found");
    for (method, path, access) in routes {
        let target = path.replace("{id}", "nowhere").replace("{name}", "nowhere").replace("{file}", "nowhere");
        let owner = access == Access::Owner;
        for (what, router) in [("loopback", &loopback), ("reachable", &reachable)] {
            for (scope, token) in &tokens {
                let got =
                    status(router, &method, &target, Some(token.as_str()).filter(|token| !token.is_empty())).await;
                let expected = match (access, scope) {
                    (Access::Open, _) => true,
                    (Access::Needs(needed), Some(scope)) => *scope >= needed,
                    (Access::Needs(_), None) => false,
                    // Nothing tells that it exists.
                    (Access::Owner, scope) => scope.is_some(),
                };
                assert_eq!(is_in(got), expected, "{what} {method} {target} with {scope:?}: {got}");
                assert!(!owner || !expected || got == 404, "{what} {method} {target} with {scope:?}: {got}");
                if !expected {
                    assert_eq!(got, if scope.is_some() { 403 } else { 401 }, "{what} {method} {target} with {scope:?}");
                }
            }
        }
        // Without any token: all of the loopback and of the socket, nothing of an address that others reach.
        let open = access == Access::Open;
        for (what, router, expected) in [
            ("bare loopback", &bare, true),
            ("bare reachable", &bare_reachable, open),
            ("socket", &world.router(), true),
        ] {
            let got = status(router, &method, &target, None).await;
            assert_eq!(is_in(got), expected, "{what} {method} {target}: {got}");
            // On the socket it may be the sink that is not there.
            let named = what == "socket" && path.starts_with("/api/v1/sinks/{name}");
            let there = (got == 404) == (what != "socket");
            assert!(!owner || !expected || named || there, "{what} {method} {target}: {got}");
        }
    }
}

#[tokio::test]
async fn what_changes_anything_needs_admin() {
    let reads = ["/api/v1/topics/test", "/api/v1/topics/try", "/api/v1/corpus/match"];
    let owners = ["/api/v1/export", "/api/v1/import", "/api/v1/sinks"];
    for (method, path, access) in serve::routes() {
        let expected = match path {
            "/healthz" | "/readyz" | "/openapi.json" | "/" | "/web/{file}" => Access::Open,
            _ if owners.contains(&path) => Access::Owner,
            _ if path.starts_with("/api/v1/maintenance/") || path.starts_with("/api/v1/sinks/") => Access::Owner,
            _ if path.starts_with("/api/v1/consumers") => Access::Needs(Scope::Consume),
            _ if method == Method::GET || reads.contains(&path) => Access::Needs(Scope::Read),
            _ => Access::Needs(Scope::Admin),
        };
        assert_eq!(access, expected, "{method} {path}");
    }
}

#[tokio::test]
async fn a_running_server_sees_tokens_that_come_and_go() {
    let world = World::with_items(1);
    let file = TokenFile::of(world.dir.path());
    let config = ServerConfig { tokens: Some(world.dir.path().join(serve::TOKENS)), ..ServerConfig::default() };
    let router = serve::tcp_router(&config, world.state.clone()).unwrap();
    let items = "/api/v1/items";
    assert_eq!(status(&router, &Method::GET, items, None).await, 200);
    let until = async |token: Option<&str>, expected: u16| {
        let began = std::time::Instant::now();
        while status(&router, &Method::GET, items, token).await != expected {
            assert!(began.elapsed().as_secs() < 60, "it was not seen: {expected}");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    let token = file.add("reader", &[Scope::Read], None, now()).unwrap();
    until(None, 401).await;
    until(Some(&token), 200).await;
    assert_eq!(status(&router, &Method::POST, "/api/v1/reload", Some(&token)).await, 403);
    let day = now().to_zoned(jiff::tz::TimeZone::UTC).date();
    assert_eq!(file.read().unwrap()[0].last_used, Some(day), "the day is noted");

    let other = file.add("other", &[Scope::Read], None, now()).unwrap();
    assert_eq!(file.revoke("reader"), Ok(true));
    until(Some(&token), 401).await;
    until(Some(&other), 200).await;

    // A file that cannot be read changes nothing.
    std::fs::write(world.dir.path().join(serve::TOKENS), "nonsense").unwrap();
    let began = std::time::Instant::now();
    while began.elapsed().as_millis() < 800 {
        assert_eq!(status(&router, &Method::GET, items, Some(&other)).await, 200);
        assert_eq!(status(&router, &Method::GET, items, None).await, 401);
    }
    assert!(serve::tcp_router(&config, world.state.clone()).is_err(), "nothing begins with it");
}

#[test]
fn a_token_that_expires_is_good_until_then() {
    let dir = tempfile::tempdir().unwrap();
    let file = TokenFile::of(dir.path());
    let until: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
    file.add("short", &[Scope::Read], Some(until), now()).unwrap();
    let token = &file.read().unwrap()[0];
    assert_eq!((token.is_expired(now()), token.is_expired(until)), (false, true));
}
