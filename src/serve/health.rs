//! `/healthz` and `/readyz`: for whatever supervises the daemon.
//!
//! Out: 200 while the process answers at all (`healthz`), and while the store can be read (`readyz`).
//! They tell nothing about what is stored, because they need no token.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::Shared;
use super::problem::Problem;
use crate::id::Seq;

pub(super) async fn alive() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

pub(super) async fn ready(State(shared): State<Shared>) -> Result<Json<Value>, Problem> {
    match shared.blocking(|state| state.store.log(Seq(0), 1)).await {
        Ok(_) => Ok(Json(json!({ "status": "ready" }))),
        Err(_) => Err(Problem::not_ready("the store cannot be read; the log of the daemon says why")),
    }
}
