//! `/openapi.json`: the interface for programs, as OpenAPI 3.1.
//!
//! In: the table of the routes, and how their types describe themselves. Out: one document, the same for all readers.
//! Promise: nothing in it is written by hand but the frame: paths, parameters and their limits are those that the handlers
//! read their queries by, and schemas are made of the types that are sent.

use std::sync::OnceLock;

use axum::body::Bytes;
use axum::http::Uri;
use axum::http::header::{CONTENT_TYPE, HeaderName};
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::access::{Access, Scope};
use super::params::{Kind, Param};
use super::problem::Problem;
use super::request::{MAX_BODY, Params};
use super::routes::{Answer, Route, table};

const ABOUT: &str = "What rasid has stored: items, the log that readers follow, feeds, topics, copies and stories. \
    Parameters that a route does not know are refused. Errors are RFC 9457 problem documents; `type` is a stable name.";

/// A header that browsers send by themselves when a stream broke.
const LAST_EVENT_ID: Param =
    Param::new("Last-Event-ID", Kind::Whole(0, u64::MAX, None), "The position of the last event that arrived.");

pub(super) async fn show(uri: Uri) -> Result<([(HeaderName, &'static str); 1], Bytes), Problem> {
    static WRITTEN: OnceLock<Bytes> = OnceLock::new();
    Params::read(&uri, &[])?;
    let bytes = WRITTEN.get_or_init(|| Bytes::from(document().to_string())).clone();
    Ok(([(CONTENT_TYPE, "application/json")], bytes))
}

/// The document.
pub fn document() -> Value {
    let mut answers = SchemaSettings::draft2020_12()
        .with(|s| s.definitions_path = "/components/schemas".into())
        .for_serialize()
        .into_generator();
    let mut bodies =
        SchemaSettings::draft2020_12().with(|s| s.inline_subschemas = true).for_deserialize().into_generator();
    let mut paths = Map::new();
    for route in table().into_iter().filter(|route| route.access != Access::Owner) {
        let operation = operation(&route, &mut answers, &mut bodies);
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.method.as_str().to_ascii_lowercase()] = operation;
    }
    let mut schemas: Map<String, Value> = answers.take_definitions(true);
    schemas.insert("Problem".to_owned(), problem());
    let scopes: Vec<String> = Scope::ALL.iter().map(Scope::to_string).collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "rasid",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": { "token": {
                "type": "http",
                "scheme": "bearer",
                "description": format!("A token of `rasid token add`. Scopes, each holding those before it: {}.", scopes.join(", ")),
            } },
        },
    })
}

fn operation(route: &Route, answers: &mut SchemaGenerator, bodies: &mut SchemaGenerator) -> Value {
    let (needs, security) = match route.access {
        Access::Open => ("Needs no token.".to_owned(), json!([])),
        Access::Owner => ("Of the store's owner alone.".to_owned(), json!([])),
        Access::Needs(scope) => (format!("Needs the scope `{scope}`."), json!([{ "token": [] }])),
    };
    let mut parameters: Vec<Value> = route.segments.iter().map(|param| param.describe("path")).collect();
    parameters.extend(route.query.iter().map(|param| param.describe("query")));
    let (media_types, schema) = match route.answer {
        Answer::Json(describe) => (&["application/json"][..], describe(answers).to_value()),
        Answer::Document => {
            (&["application/json"][..], json!({ "type": "object", "required": ["openapi", "info", "paths"] }))
        }
        Answer::Events(describe) => {
            parameters.push(LAST_EVENT_ID.describe("header"));
            let about = "Events: `id` is the position, `event` the kind, `data` a record as in `contentSchema`.";
            let record = describe(answers).to_value();
            (
                &["text/event-stream"][..],
                json!({ "type": "string", "description": about, "contentMediaType": "application/json", "contentSchema": record }),
            )
        }
        Answer::Bytes => (&["application/octet-stream"][..], json!({})),
        Answer::Feed(media_types) => (media_types, json!({})),
        Answer::Text(media_types) => (media_types, json!({ "type": "string" })),
        Answer::Nothing => (&[][..], json!({})),
    };
    let content: Map<String, Value> =
        media_types.iter().map(|kind| ((*kind).to_owned(), json!({ "schema": schema }))).collect();
    let refused = |why: &str| {
        let problem = json!({ "schema": { "$ref": "#/components/schemas/Problem" } });
        json!({ "description": why, "content": { "application/problem+json": problem } })
    };
    let mut responses = json!({
        "4XX": refused("The request is refused; nothing was changed."),
        "5XX": refused("It could not be done now."),
    });
    for status in route.statuses {
        let about = match status {
            200 => "What was asked for.",
            201 => "It was made.",
            202 => "It has begun.",
            _ => "It was done.",
        };
        let mut response = json!({ "description": about });
        if !content.is_empty() {
            response["content"] = Value::Object(content.clone());
        }
        responses[status.to_string()] = response;
    }
    let kept = media_types == ["application/json"] || matches!(route.answer, Answer::Feed(_));
    if kept && route.method == axum::http::Method::GET {
        responses["200"]["headers"] =
            json!({ "ETag": { "schema": { "type": "string" }, "description": "A hash of the answer." } });
        responses["304"] = json!({ "description": "The reader has the answer already (`If-None-Match`)." });
    }
    let mut operation = json!({
        "operationId": route.name,
        "summary": route.about,
        "description": needs,
        "security": security,
        "parameters": parameters,
        "responses": responses,
    });
    if let Some(describe) = route.body {
        let schema = describe(bodies).to_value();
        operation["requestBody"] = json!({
            "required": true,
            "description": format!("At most {MAX_BODY} bytes."),
            "content": { "application/json": { "schema": schema } },
        });
    }
    operation
}

fn problem() -> Value {
    json!({
        "type": "object",
        "description": "RFC 9457. Further members depend on the `type`.",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": { "type": "string", "pattern": "^urn:rasid:problem:[a-z-]+$", "description": "A stable name to branch on." },
            "title": { "type": "string", "description": "The same in words." },
            "status": { "type": "integer", "minimum": 400, "maximum": 599 },
            "detail": { "type": "string", "description": "What is wrong here, and what to do." },
        },
    })
}
