//! A message as it was received becomes one message for each route that wants it: from here on each has its own order
//! and retries.

use connector::configuration::{Found, RoutingTable};
use connector::disposition::{Disposition, Reason};
use connector::event_log::{Entry, EventType, Subject};
use connector::failure::{Code, chain};
use connector::message::{Message, MessageError, Outgoing};
use connector::retry::resend_delay_after;
use connector::subscription;
use connector::undelivered::Parked;

use crate::decide::{End, unrouted};
use crate::record::Record;
use crate::router::{Invocation, Router};

/// When only some copies of a message were confirmed so often, the others go to the undelivered queue. Each try repeats
/// those that were: SQS drops them, but only within five minutes of the first, and these receives take two and a half.
pub const DISPATCHES_BEFORE_PARKING: u32 = 5;

/// What a copy is for.
#[derive(Clone, Copy)]
struct Target<'a> {
    route: &'a str,
    endpoint: Option<&'a str>,
}

/// A message on its way to its routes.
struct Dispatch<'a> {
    record: &'a Record,
    message: &'a Message,
    table: &'a RoutingTable,
    invocation: &'a Invocation,
}

impl Router {
    /// Sends the copies within the invocation's time. Their deduplication ids make a second try repeat nothing.
    pub(crate) async fn dispatched(
        &self,
        record: &Record,
        message: &Message,
        table: &RoutingTable,
        invocation: &Invocation,
    ) -> End {
        let dispatch = Dispatch { record, message, table, invocation };
        let copies = match dispatch.copies() {
            Ok(copies) if copies.is_empty() => return unrouted("no route wants this message".to_owned()),
            Ok(copies) => copies,
            Err(error) => return (Disposition::Fault { code: Code::TooLarge }, Some(chain(&error))),
        };
        let time = self.time_for_work(invocation);
        tokio::time::timeout(time, self.sent(&dispatch, copies)).await.unwrap_or_else(|_elapsed| {
            again(record, "the queue did not answer within this invocation".to_owned())
        })
    }

    async fn sent(&self, dispatch: &Dispatch<'_>, copies: Vec<(Target<'_>, Outgoing)>) -> End {
        let (targets, copies): (Vec<_>, Vec<_>) = copies.into_iter().unzip();
        let results = self.event_queue.send_all(&copies).await;
        let all = copies.len();
        let (mut unsent, mut errors) = (Vec::new(), Vec::new());
        for ((target, copy), result) in targets.into_iter().zip(copies).zip(results) {
            if let Err(error) = result {
                unsent.push((target, copy));
                errors.push(error);
            }
        }
        let Some(error) = errors.first() else {
            self.console.write(&dispatch.routed(all, self));
            return (Disposition::Acknowledge, None);
        };
        let detail = format!("{} of {all} copies were not confirmed: {}", unsent.len(), chain(error));
        if unsent.len() == all || dispatch.record.attempt < DISPATCHES_BEFORE_PARKING {
            return again(dispatch.record, detail);
        }
        let sent = all - unsent.len();
        self.parked(dispatch, sent, unsent, detail).await
    }

    /// The copies that the event queue did not take wait in the undelivered queue; the message itself is done, with the
    /// others that it did take.
    async fn parked(
        &self,
        dispatch: &Dispatch<'_>,
        sent: usize,
        unsent: Vec<(Target<'_>, Outgoing)>,
        detail: String,
    ) -> End {
        let (targets, mut copies): (Vec<_>, Vec<_>) = unsent.into_iter().unzip();
        for (target, copy) in targets.iter().zip(&mut copies) {
            copy.attributes = dispatch.parked(*target, self).attributes();
        }
        if let Some(error) = self.undelivered_queue.send_all(&copies).await.into_iter().find_map(Result::err)
        {
            let detail = format!("{detail}; nor did the undelivered queue confirm them: {}", chain(&error));
            return again(dispatch.record, detail);
        }
        self.console.write(&dispatch.routed(sent, self));
        for target in targets {
            self.sender.event_log.record(dispatch.entry(target, self).field("error", detail.as_str()));
        }
        (Disposition::Acknowledge, None)
    }
}

impl<'a> Dispatch<'a> {
    /// One for each route, in the group of that route's endpoint.
    fn copies(&self) -> Result<Vec<(Target<'a>, Outgoing)>, MessageError> {
        let copy = |(name, found): (&'a str, Found<'a>)| {
            let endpoint = match found {
                Found::Usable(route) => route.endpoint.as_deref(),
                Found::Broken(_) => subscription::endpoint_of(name),
            };
            let group = self.message.group_in(&self.record.group, self.table.lane(name, endpoint));
            let copy = self.message.for_route(name).outgoing(group, self.record.trace.clone())?;
            Ok((Target { route: name, endpoint }, copy))
        };
        self.table.routes_for(self.message).map(copy).collect()
    }

    fn parked(&self, target: Target<'_>, router: &Router) -> Parked {
        Parked {
            reason: Reason::Exhausted,
            code: Code::Queue,
            route: Some(target.route.to_owned()),
            endpoint: target.endpoint.map(str::to_owned),
            attempts: self.record.attempt,
            status: None,
            time: router.now(),
        }
    }

    fn routed(&self, copies: usize, router: &Router) -> Entry {
        let about = self.message.about();
        let subject = Subject {
            message: Some(self.message),
            about: Some(&about),
            trace: self.record.trace.as_deref(),
            request: Some(&self.invocation.request_id),
            config: Some(self.table.version()),
            ..Subject::default()
        };
        let delay = router.now().duration_since(self.message.received_at).as_millis();
        Entry::new(EventType::MessageRouted, router.now())
            .subject(&subject)
            .field("copies", copies)
            .field("queue_delay_ms", u64::try_from(delay).unwrap_or_default())
    }

    fn entry(&self, target: Target<'_>, router: &Router) -> Entry {
        let (about, webhook) = (self.message.about(), self.message.webhook_id(target.route));
        let subject = Subject {
            message: Some(self.message),
            about: Some(&about),
            route: Some(target.route),
            endpoint: target.endpoint,
            webhook: Some(&webhook),
            trace: self.record.trace.as_deref(),
            request: Some(&self.invocation.request_id),
            config: Some(self.table.version()),
        };
        Entry::new(EventType::MessageUndelivered, router.now())
            .subject(&subject)
            .field("code", Code::Queue.as_str())
            .field("attempt", self.record.attempt)
            .field("reason", Reason::Exhausted.as_str())
            .field("sqs.message_id", self.record.id.as_str())
    }
}

fn again(record: &Record, detail: String) -> End {
    let after = resend_delay_after(record.attempt);
    (Disposition::Retry { after, code: Code::Queue }, Some(detail))
}
