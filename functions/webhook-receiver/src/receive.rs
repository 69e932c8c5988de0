//! From raw bytes to a queued message. Knows no HTTP library and no AWS.

use std::collections::BTreeSet;
use std::sync::Arc;

use connector::cache::Cache;
use connector::configuration::KeyRing;
use connector::event::FluentEvent;
use connector::event_log::{Entry, EventType, Subject};
use connector::message::{MAX_MESSAGE_BYTES, Message, Outgoing, group_of};
use connector::ports::{Clock, Console, EventLog, Queue};
use connector::signature::{Md5Policy, SignatureHeaders, Verifier};

use crate::refusal::Refusal;

/// The path of Fluent's webhooks.
pub const FLUENT_PATH: &str = "/api/v1/fluent-connect/webhook";

/// What a request holds, as far as the receiver looks.
#[derive(Debug, Clone)]
pub struct Inbound<'a> {
    /// HTTP method.
    pub method: &'a str,
    /// Path without the stage.
    pub path: &'a str,
    /// The signature headers.
    pub signatures: SignatureHeaders<'a>,
    /// The decoded body.
    pub body: &'a [u8],
    /// X-Ray's trace header.
    pub trace: Option<&'a str>,
    /// Lambda's request id.
    pub request_id: &'a str,
}

/// Verifies, queues, and says what became of it.
pub struct Receiver {
    /// Fluent's public keys.
    pub keys: Cache<KeyRing>,
    /// Whether a lone MD5 signature counts.
    pub md5: Md5Policy,
    /// The accounts that this deployment serves.
    pub accounts: BTreeSet<String>,
    /// The event queue.
    pub queue: Arc<dyn Queue>,
    /// Where a message goes that could not be queued.
    pub event_log: Arc<dyn EventLog>,
    /// The receiver's own log.
    pub console: Arc<dyn Console>,
    /// The time of day.
    pub clock: Clock,
}

impl Receiver {
    /// The id of the message, once SQS has confirmed it.
    ///
    /// # Errors
    /// [`Refusal`]; it is already logged.
    pub async fn receive(&self, inbound: &Inbound<'_>) -> Result<String, Refusal> {
        let result = self.queued(inbound).await;
        if let Err(refusal) = &result {
            self.console.write(
                &Entry::new(EventType::InboundRefused, (self.clock)())
                    .subject(&subject(inbound))
                    .field("code", refusal.code().as_str())
                    .field("error", refusal.detail())
                    .field("request.bytes", inbound.body.len()),
            );
        }
        result.map(|message| message.id)
    }

    async fn queued(&self, inbound: &Inbound<'_>) -> Result<Message, Refusal> {
        if (inbound.method, inbound.path) != ("POST", FLUENT_PATH) {
            return Err(Refusal::Source);
        }
        if inbound.body.len() > MAX_MESSAGE_BYTES {
            return Err(Refusal::BodyTooLarge);
        }
        let keys = self.keys.get().await.map_err(Refusal::Config)?;
        let verified = Verifier::new(keys.keys(), self.md5)
            .verify(inbound.body, &inbound.signatures)
            .map_err(Refusal::Signature)?;
        let event = FluentEvent::from_verified(&verified).map_err(Refusal::Payload)?;
        if !self.accounts.contains(&event.account) {
            return Err(Refusal::Account(event.account));
        }
        let message = Message::from_fluent(&event, (self.clock)()).map_err(Refusal::Message)?;
        let outgoing =
            message.outgoing(group_of(&event), inbound.trace.map(str::to_owned)).map_err(Refusal::Message)?;
        self.send(inbound, &message, &outgoing).await?;
        Ok(message)
    }

    async fn send(
        &self,
        inbound: &Inbound<'_>,
        message: &Message,
        outgoing: &Outgoing,
    ) -> Result<(), Refusal> {
        let about = message.about();
        let subject = Subject { message: Some(message), about: Some(&about), ..subject(inbound) };
        let sent = self.queue.send(outgoing).await;
        let entry = |kind| Entry::new(kind, (self.clock)()).subject(&subject);
        match sent {
            Ok(()) => {
                let entry = entry(EventType::InboundAccepted).field("request.bytes", inbound.body.len());
                self.console.write(&entry);
                Ok(())
            }
            Err(error) => {
                // The sender may never come back with it: the whole message goes where it can be replayed from.
                self.event_log.record(
                    entry(EventType::InboundUnqueued)
                        .field("message.body", outgoing.body.as_str())
                        .field("message.group", outgoing.group.as_str()),
                );
                self.event_log.flush().await;
                Err(Refusal::Queue(error))
            }
        }
    }
}

fn subject<'a>(inbound: &Inbound<'a>) -> Subject<'a> {
    Subject { trace: inbound.trace, request: Some(inbound.request_id), ..Subject::default() }
}
