//! Where a record goes: the event queue, the dead-letter queue, or nowhere. Decides and sends nothing.

use std::panic::{AssertUnwindSafe, catch_unwind};

use connector::failure::{Code, chain};
use connector::message::{Message, MessageError, Outgoing, group_of_notification};
use connector::message_names::MessageNames;
use connector::notification::{Notification, NotificationError};
use jiff::Timestamp;

use crate::record::Record;

/// Where a record goes.
#[derive(Debug)]
pub enum End {
    /// To the event queue.
    Queue {
        /// The message.
        message: Message,
        /// The same as SQS takes it.
        outgoing: Outgoing,
    },
    /// To the dead-letter queue, as it came: another try would end the same.
    Refuse {
        /// The code of what is wrong.
        code: Code,
        /// The details for the log.
        detail: String,
    },
    /// Nowhere: commercetools only tests the way.
    Drop {
        /// The message that it would have been.
        message: Message,
    },
}

/// Why a record cannot be queued.
#[derive(Debug, thiserror::Error)]
enum RefusedError {
    #[error("the record is no notification")]
    Notification(#[source] NotificationError),
    #[error("the notification cannot be queued")]
    Message(#[source] MessageError),
}

impl End {
    /// Where this record goes; a panic is the fault of this record alone. `trace` is for records that carry none.
    #[must_use]
    pub fn of(record: &Record, names: &MessageNames, trace: Option<&str>, now: Timestamp) -> Self {
        match catch_unwind(AssertUnwindSafe(|| read(record, names, trace, now))) {
            Ok(Ok(end)) => end,
            Ok(Err(error)) => Self::Refuse { code: error.code(), detail: chain(&error) },
            Err(_panic) => {
                Self::Refuse { code: Code::Panic, detail: "reading the record panicked".to_owned() }
            }
        }
    }
}

impl RefusedError {
    fn code(&self) -> Code {
        match self {
            Self::Notification(NotificationError::NotJson(_) | NotificationError::NoKind) => Code::Payload,
            Self::Message(error) => error.refusal(),
        }
    }
}

fn read(
    record: &Record,
    names: &MessageNames,
    trace: Option<&str>,
    now: Timestamp,
) -> Result<End, RefusedError> {
    let notification = Notification::read(&record.body).map_err(RefusedError::Notification)?;
    let name = names.name(&notification);
    let message = Message::from_commercetools(&notification, name, now).map_err(RefusedError::Message)?;
    if notification.is_test() {
        return Ok(End::Drop { message });
    }
    let group = group_of_notification(&notification, &message);
    let trace = record.trace.as_deref().or(trace).map(str::to_owned);
    let outgoing = message.outgoing(group, trace).map_err(RefusedError::Message)?;
    Ok(End::Queue { message, outgoing })
}
