//! A lightweight WebSocket broadcast server: one process, one thread, one poll loop, one port.
//!
//! ```no_run
//! use fanfare::{Config, Context, Handler, Message, Server};
//!
//! struct Broadcast;
//!
//! impl Handler for Broadcast {
//!     fn message(&mut self, context: &mut Context<'_>, message: Message<'_>) {
//!         context.publish(&message);
//!     }
//! }
//!
//! Server::bind(Config::default())?.run(Broadcast)?;
//! # Ok::<(), fanfare::Error>(())
//! ```
//!
//! The rooms under the sans-IO line are public: the [`websocket`] and [`http`] protocols, the [`backlog`] and
//! the [`outbox`] know no socket, no file and no clock, and can be used, tested and measured in memory.

pub mod backlog;
pub mod budget;
#[doc(hidden)]
pub mod channel;
pub mod config;
#[doc(hidden)]
pub mod connection;
pub mod deadline;
mod error;
mod files;
pub mod format;
mod handler;
pub mod http;
pub mod limits;
pub mod message;
pub mod metrics;
pub mod outbox;
mod server;
#[doc(hidden)]
pub mod signals;
mod tls;
pub mod trace;
mod transport;
pub mod websocket;

pub use config::Config;
pub use connection::Opening;
pub use error::Error;
pub use handler::{Context, Handler};
pub use message::{CloseCode, Message};
pub use metrics::Metrics;
pub use server::{MetricsReader, Server, Stopper};
