//! One request, one attempt.

use async_trait::async_trait;
use connector::delivery::{Attempt, OutboundRequest, Response, TransportFailure};
use connector::ports::Transport;
use reqwest::Client;
use reqwest::header::RETRY_AFTER;
use tokio::time::{Instant, timeout_at};

use crate::client::{self, BuildError};
use crate::failure;

/// Most bytes of an answer's body that are read: 64 KiB.
pub const BODY_CAP_BYTES: usize = 65_536;

/// The transport over one shared HTTP client.
#[derive(Debug, Clone)]
pub struct HttpTransport {
    client: Client,
}

impl HttpTransport {
    /// Builds the client: once, in INIT.
    ///
    /// # Errors
    /// [`BuildError`], a fault of the build.
    pub fn new() -> Result<Self, BuildError> {
        Ok(Self { client: client::build()? })
    }

    async fn exchange(
        &self,
        request: &OutboundRequest,
        deadline: Instant,
    ) -> Result<Response, TransportFailure> {
        let sending = self
            .client
            .request(request.method.clone(), request.url.as_url().clone())
            .headers(request.headers.clone())
            .body(request.body.clone())
            .send();
        let answer =
            timeout_at(deadline, sending).await.map_err(|_| failure::timeout())?.map_err(failure::of)?;
        let retry_after = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        Ok(Response {
            status: answer.status().as_u16(),
            retry_after: retry_after.map(str::to_owned),
            body: read_capped(answer, deadline).await,
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

/// What arrives of the body until the cap, the deadline, or its end, be it a broken one.
async fn read_capped(mut answer: reqwest::Response, deadline: Instant) -> Vec<u8> {
    let mut body = Vec::new();
    while body.len() < BODY_CAP_BYTES {
        match timeout_at(deadline, answer.chunk()).await {
            Ok(Ok(Some(chunk))) => {
                let room = BODY_CAP_BYTES - body.len();
                body.extend(chunk.iter().take(room));
            }
            Ok(Ok(None) | Err(_)) | Err(_) => break,
        }
    }
    body
}
