//! The border to Lambda: an API Gateway request in, an answer out.

use connector::source::{Reply, ReplyBody};
use lambda_http::http::{StatusCode, header};
use lambda_http::{Body, Request, RequestExt as _, Response};
use serde_json::{Value, json};

use crate::receive::{Inbound, Received, Receiver};
use crate::refusal::{RETRY_AFTER_SECONDS, Refusal};

/// Answers one request. The signature is verified over the decoded bytes, whatever API Gateway made of them.
pub async fn answer(receiver: &Receiver, request: Request) -> Response<Body> {
    let context = request.lambda_context_ref();
    let request_id = context.map(|context| context.request_id.clone()).unwrap_or_default();
    let trace = context.and_then(|context| context.xray_trace_id.clone());
    let inbound = Inbound {
        method: request.method().as_str(),
        path: request.raw_http_path(),
        headers: request.headers(),
        body: request.body().as_ref(),
        trace: trace.as_deref(),
        request_id: &request_id,
    };
    match receiver.receive(&inbound).await {
        Ok(taken) => accepted(taken),
        Err(refusal) => refused(&refusal, &request_id),
    }
}

fn accepted(taken: Received) -> Response<Body> {
    let own = match &taken.id {
        Some(id) => json!({ "id": id, "status": "queued" }),
        None => json!({ "status": "ping" }),
    };
    let Some(Reply { status, body }) = taken.reply else { return respond(StatusCode::OK, &own) };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    match body {
        _ if status == StatusCode::NO_CONTENT => with_type(status, None, Body::Empty),
        None => respond(status, &own),
        Some(ReplyBody::Json(value)) => respond(status, &value),
        Some(ReplyBody::Text(text)) => with_type(status, Some("text/plain; charset=utf-8"), Body::Text(text)),
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

fn respond(status: StatusCode, body: &Value) -> Response<Body> {
    with_type(status, Some("application/json"), Body::Text(body.to_string()))
}

fn with_type(status: StatusCode, content_type: Option<&'static str>, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let value = content_type.map(header::HeaderValue::from_static);
    response.headers_mut().extend(value.map(|value| (header::CONTENT_TYPE, value)));
    response
}
