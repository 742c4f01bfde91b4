//! `/openapi.json`: whether it says what is served.

use std::collections::BTreeSet;

use hyper::Method;
use rasid::serve::{self, Access};
use serde_json::Value;

use super::ask;
use crate::read_api::World;

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
        serve::routes().into_iter().map(|(method, path, _)| (method.to_string(), path.to_owned())).collect();
    assert_eq!(described, served);
    // And they are really there: the methods that a wrong one is told of are those described.
    for path in document["paths"].as_object().unwrap().keys() {
        let (status, headers, _) = ask(&router, Method::DELETE, &path.replace("{id}", "1"), &[]).await;
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
    for (method, path, access) in serve::routes() {
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
        let gives = operation["responses"]["200"]["content"].as_object().unwrap();
        assert_eq!(gives.len(), 1, "{method} {path}");
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
    for (method, path, _) in serve::routes() {
        let operation = &document["paths"][path][method.as_str().to_lowercase()];
        let described: Vec<&str> = operation["parameters"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|parameter| parameter["in"] == "query")
            .map(|parameter| parameter["name"].as_str().unwrap())
            .collect();
        let target = format!("{}?nonsense=1", path.replace("{id}", "1"));
        let (status, _, body) = ask(&router, method.clone(), &target, &[]).await;
        let problem: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!((status, problem["type"].as_str()), (400, Some("urn:rasid:problem:unknown-parameter")), "{target}");
        let read = problem["detail"].as_str().unwrap().split("those are: ").nth(1).unwrap().replace('`', "");
        let read: Vec<&str> = read.split(", ").filter(|name| *name != "none").collect();
        assert_eq!(read, described, "{method} {path}");
    }
}
