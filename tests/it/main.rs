//! One integration binary: every file here is a module of it.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::string_slice,
    reason = "tests"
)]

mod client;
mod config;
mod consumers;
mod copies;
mod corpora;
mod damage;
mod demo;
mod edition;
mod everyone;
mod examples;
mod explain;
mod feeds;
mod fetch;
mod flow;
mod forms;
mod found;
mod http;
mod judged;
mod kept;
mod learned;
mod newsroom;
mod outgoing;
mod pages;
mod passages;
mod rasid;
mod read_api;
mod recovery;
mod replay;
mod search;
mod shell;
mod shutdown;
mod sinks;
mod sources;
mod store;
mod stories;
mod support;
mod swarm;
mod teaching;
mod text;
mod tidy;
mod topics;
mod transfer;
mod traps;
mod web;
