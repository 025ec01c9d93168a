//! stub
pub mod backlog;
pub mod channel;
pub mod config;
pub mod deadline;
pub mod error;
pub mod format;
pub mod http;
pub mod limits;
pub mod message;
pub mod outbox;
pub mod websocket;
