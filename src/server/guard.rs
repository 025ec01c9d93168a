//! Calls of the handler: what is done for it before and after, and what becomes of a client whose handler panics.

use crate::connection::Event;
use crate::handler::{Context, Handler};
use crate::message::CloseCode;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What came of a call.
pub(super) enum Called {
    /// It returned.
    Returned,
    /// It panicked: the client is closed with 1011.
    Panicked,
}

/// Lets the handler hear of an event. Nothing of ours is in the middle of anything while it runs: every method of the
/// context leaves what it changed whole, so a panic between two of them breaks the handler's own state alone.
pub(super) fn call<H: Handler>(handler: &mut H, context: &mut Context<'_>, event: Event<'_>) -> Called {
    let call = AssertUnwindSafe(|| match event {
        Event::Page(_) | Event::Stats(_) | Event::Answered(_) | Event::Refusal(..) => {}
        Event::Watch(_) | Event::Wish(_) => {}
        Event::Open(opening) => handler.open(context, &opening),
        Event::Message(message) => handler.message(context, message),
        Event::Close(code, reason) => handler.close(context, code, &reason),
        Event::Violation(violation) => handler.close(context, violation.close_code(), ""),
    });
    finish(catch_unwind(call).is_ok(), context)
}

/// The same for the end of a client that did not say goodbye.
pub(super) fn call_close<H: Handler>(handler: &mut H, context: &mut Context<'_>, code: CloseCode) -> Called {
    finish(catch_unwind(AssertUnwindSafe(|| handler.close(context, code, ""))).is_ok(), context)
}

fn finish(has_returned: bool, context: &mut Context<'_>) -> Called {
    if has_returned {
        return Called::Returned;
    }
    log::error!("the handler panicked over connection {}: it is closed with 1011", context.client());
    context.close(CloseCode::INTERNAL, "");
    Called::Panicked
}
