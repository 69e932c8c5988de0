//! The border to Lambda: an API Gateway request in, an answer out.

use connector::signature::{FLEX_SIGNATURE, FLUENT_SIGNATURE, SignatureHeaders};
use lambda_http::http::{HeaderMap, StatusCode, header};
use lambda_http::{Body, Request, RequestExt as _, Response};
use serde_json::json;

use crate::receive::{Inbound, Receiver};
use crate::refusal::{RETRY_AFTER_SECONDS, Refusal};

/// Answers one request. The signature is verified over the decoded bytes, whatever API Gateway made of them.
pub async fn answer(receiver: &Receiver, request: Request) -> Response<Body> {
    let context = request.lambda_context_ref();
    let request_id = context.map(|context| context.request_id.clone()).unwrap_or_default();
    let trace = context.and_then(|context| context.xray_trace_id.clone());
    let inbound = Inbound {
        method: request.method().as_str(),
        path: request.raw_http_path(),
        signatures: SignatureHeaders {
            fluent: values(request.headers(), FLUENT_SIGNATURE),
            flex: values(request.headers(), FLEX_SIGNATURE),
        },
        body: request.body().as_ref(),
        trace: trace.as_deref(),
        request_id: &request_id,
    };
    match receiver.receive(&inbound).await {
        Ok(id) => respond(StatusCode::OK, &json!({ "id": id, "status": "queued" })),
        Err(refusal) => refused(&refusal, &request_id),
    }
}

fn refused(refusal: &Refusal, request_id: &str) -> Response<Body> {
    let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body =
        json!({ "code": refusal.code().as_str(), "message": refusal.public_text(), "requestId": request_id });
    let mut response = respond(status, &body);
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER_SECONDS.into());
    }
    response
}

fn respond(status: StatusCode, body: &serde_json::Value) -> Response<Body> {
    let mut response = Response::new(Body::Text(body.to_string()));
    *response.status_mut() = status;
    let json = header::HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

fn values<'a>(headers: &'a HeaderMap, name: &str) -> Vec<&'a [u8]> {
    headers.get_all(name).iter().map(header::HeaderValue::as_bytes).collect()
}
