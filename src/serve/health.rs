//! `/healthz` and `/readyz`: for whatever supervises the daemon.
//!
//! Out: 200 while the process answers at all (`healthz`), and while the store can be read (`readyz`).
//! They tell nothing about what is stored, because they need no token.

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use serde::Serialize;

use super::Shared;
use super::problem::Problem;
use super::request::Params;
use crate::id::Seq;

/// How it is.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(super) struct Health {
    /// `ok` or `ready`.
    status: &'static str,
}

pub(super) async fn alive(uri: Uri) -> Result<Json<Health>, Problem> {
    Params::read(&uri, &[])?;
    Ok(Json(Health { status: "ok" }))
}

pub(super) async fn ready(State(shared): State<Shared>, uri: Uri) -> Result<Json<Health>, Problem> {
    Params::read(&uri, &[])?;
    match shared.blocking(|state| state.store.log(Seq(0), 1)).await {
        Ok(_) => Ok(Json(Health { status: "ready" })),
        Err(_) => Err(Problem::not_ready("the store cannot be read; the log of the daemon says why")),
    }
}
