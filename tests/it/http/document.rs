//! `/openapi.json`: whether it says what is served.

use std::collections::BTreeSet;

use hyper::Method;
use rasid::serve::{self, Access};
use serde_json::Value;

use super::ask;
use crate::read_api::World;

/// All routes but those of the store's owner.
fn described_routes() -> impl Iterator<Item = (Method, &'static str, Access)> {
    serve::routes().into_iter().filter(|(_, _, access)| *access != Access::Owner)
}

fn filled(path: &str) -> String {
    path.replace("{id}", "1").replace("{name}", "desk").replace("{file}", "app.js")
}

#[tokio::test]
async fn the_document_has_every_route_and_no_other() {
    let world = World::with_items(1);
    let router = world.router();
    let (status, headers, body) = ask(&router, Method::GET, "/openapi.json", &[]).await;
    assert_eq!((status, headers["content-type"].to_str().unwrap()), (200, "application/json"));
    let document: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(document, serve::openapi());
    assert_eq!(document["openapi"], "3.1.0");

    let mut described = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for method in operations.as_object().unwrap().keys() {
            described.insert((method.to_uppercase(), path.clone()));
        }
    }
    let served: BTreeSet<(String, String)> =
        described_routes().map(|(method, path, _)| (method.to_string(), path.to_owned())).collect();
    assert_eq!(described, served);
    // And they are really there: the methods that a wrong one is told of are those described.
    for path in document["paths"].as_object().unwrap().keys() {
        let (status, headers, _) = ask(&router, Method::PATCH, &filled(path), &[]).await;
        assert_eq!(status, 405, "{path}");
        let allowed: BTreeSet<&str> =
            headers["allow"].to_str().unwrap().split(',').filter(|method| *method != "HEAD").collect();
        let expected = described.iter().filter(|(_, other)| other == path).map(|(method, _)| method.as_str()).collect();
        assert_eq!(allowed, expected, "{path}");
    }
}

#[tokio::test]
async fn each_operation_is_described_in_full() {
    let document = serve::openapi();
    let mut names = BTreeSet::new();
    for (method, path, access) in described_routes() {
        let operation = &document["paths"][path][method.as_str().to_lowercase()];
        let name = operation["operationId"].as_str().unwrap();
        assert!(!name.is_empty() && names.insert(name.to_owned()), "{method} {path}: `{name}`");
        assert!(operation["summary"].as_str().unwrap().len() > 10, "{method} {path}");
        let open = operation["security"].as_array().unwrap().is_empty();
        assert_eq!(open, access == Access::Open, "{method} {path}");
        let segments: BTreeSet<&str> =
            path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
        let parameters = operation["parameters"].as_array().unwrap();
        let described: BTreeSet<&str> = parameters
            .iter()
            .filter(|parameter| parameter["in"] == "path")
            .map(|parameter| parameter["name"].as_str().unwrap())
            .collect();
        assert_eq!(described, segments, "{method} {path}");
        for parameter in parameters {
            let schema = parameter["schema"].to_string();
            let bounded = ["maximum", "maxLength", "enum", "format"].iter().any(|limit| schema.contains(limit));
            assert!(bounded, "{method} {path}: {parameter}");
        }
        let responses = operation["responses"].as_object().unwrap();
        let done: Vec<&Value> =
            responses.iter().filter(|(status, _)| status.starts_with('2')).map(|(_, response)| response).collect();
        assert!(!done.is_empty(), "{method} {path}");
        for response in done {
            let gives = response["content"].as_object().map_or(0, |content| content.len());
            assert_eq!(gives == 0, responses.contains_key("204"), "{method} {path}");
        }
    }
    // Every reference leads somewhere.
    let text = document.to_string();
    for found in text.split("\"$ref\":\"#").skip(1) {
        let pointer = found.split('"').next().unwrap();
        assert!(document.pointer(pointer).is_some(), "{pointer}");
    }
}

/// A handler reads its query by a list; the list in the document is the same.
#[tokio::test]
async fn the_parameters_described_are_those_that_are_read() {
    let world = World::with_items(1);
    let router = world.router();
    let document = serve::openapi();
    for (method, path, access) in serve::routes() {
        // The page takes whatever a link to it has.
        if path == "/" || path.starts_with("/web/") {
            continue;
        }
        let operation = &document["paths"][path][method.as_str().to_lowercase()];
        let parameters = operation["parameters"].as_array();
        let described: Vec<&str> = parameters
            .into_iter()
            .flatten()
            .filter(|parameter| parameter["in"] == "query")
            .map(|parameter| parameter["name"].as_str().unwrap())
            .collect();
        let target = format!("{}?nonsense=1", filled(path));
        let (status, _, body) = ask(&router, method.clone(), &target, &[]).await;
        let problem: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!((status, problem["type"].as_str()), (400, Some("urn:rasid:problem:unknown-parameter")), "{target}");
        let read = problem["detail"].as_str().unwrap().split("those are: ").nth(1).unwrap().replace('`', "");
        let read: Vec<&str> = read.split(", ").filter(|name| *name != "none").collect();
        // What only the owner is served is not in the document.
        if access != Access::Owner {
            assert_eq!(read, described, "{method} {path}");
        }
    }
}
