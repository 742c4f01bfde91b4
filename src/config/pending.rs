//! Sections whose modules are still being built; they move there.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::units::Span;

/// `[server]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServerConfig {
    /// Where readers connect.
    pub listen: SocketAddr,
    /// What readers from other machines must send.
    pub token: Option<String>,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 7878)), token: None }
    }
}

/// `[dedup]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DedupConfig {
    /// How far back copies are looked for.
    pub window: Span,
}

impl Default for DedupConfig {
    fn default() -> Self {
        Self { window: Span::secs(30 * 86_400) }
    }
}
