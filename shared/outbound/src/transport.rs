//! One request, one attempt.

use async_trait::async_trait;
use connector::delivery::{Attempt, OutboundRequest, Response, TransportFailure};
use connector::ports::Transport;
use reqwest::header::RETRY_AFTER;
use tokio::time::{Instant, timeout_at};

use crate::client::{BuildError, GuardedClient, Surroundings};
use crate::failure;
use crate::policy::AddressPolicy;

/// The transport over shared, guarded HTTP clients.
#[derive(Debug, Clone)]
pub struct HttpTransport {
    client: GuardedClient,
}

impl HttpTransport {
    /// Builds the clients: once, in INIT.
    ///
    /// # Errors
    /// [`BuildError`], a fault of the build.
    pub fn new(policy: AddressPolicy) -> Result<Self, BuildError> {
        Ok(Self { client: GuardedClient::new(policy, Surroundings::default())? })
    }

    /// For tests: looks names up in `lookup` and trusts `roots` alone. The policy holds as ever.
    ///
    /// # Errors
    /// [`BuildError`], a fault of the build.
    #[cfg(feature = "testing")]
    pub fn within(
        policy: AddressPolicy,
        lookup: std::sync::Arc<dyn crate::resolver::Lookup>,
        roots: rustls::RootCertStore,
    ) -> Result<Self, BuildError> {
        Ok(Self { client: GuardedClient::new(policy, Surroundings { lookup, roots })? })
    }

    async fn exchange(
        &self,
        request: &OutboundRequest,
        deadline: Instant,
    ) -> Result<Response, TransportFailure> {
        notice_closed_connections().await;
        let sending = self
            .client
            .request(request.method.clone(), request.url.as_url())
            .map_err(|blocked| failure::of_blocked(&blocked))?
            .headers(request.headers.clone())
            .body(request.body.clone())
            .send();
        let answer =
            timeout_at(deadline, sending).await.map_err(|_| failure::timeout())?.map_err(failure::of)?;
        let retry_after = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        Ok(Response {
            status: answer.status().as_u16(),
            retry_after: retry_after.map(str::to_owned),
            body: read_capped(answer, request.answer_bytes, deadline).await,
        })
    }
}

#[async_trait]
impl Transport for HttpTransport {
    async fn send(&self, request: OutboundRequest) -> Attempt {
        let start = Instant::now();
        let result = self.exchange(&request, start + request.timeout).await;
        Attempt::new(request, start.elapsed(), result)
    }
}

/// Gives the runtime one turn to poll its sockets, and one to the kept connections. A sandbox that was frozen has not yet
/// heard which of them the receiver has closed, and a request once written is not repeated.
async fn notice_closed_connections() {
    for _turn in 0..2 {
        tokio::task::yield_now().await;
    }
}

/// What arrives of the body until the cap, the deadline, or its end, be it a broken one.
async fn read_capped(mut answer: reqwest::Response, cap: usize, deadline: Instant) -> Vec<u8> {
    let mut body = Vec::new();
    while body.len() < cap {
        match timeout_at(deadline, answer.chunk()).await {
            Ok(Ok(Some(chunk))) => {
                let room = cap - body.len();
                body.extend(chunk.iter().take(room));
            }
            Ok(Ok(None) | Err(_)) | Err(_) => break,
        }
    }
    body
}
