//! The HTTP contract of WHEP, with an offer of Chromium and a real engine.

#![allow(clippy::unwrap_used)]

mod support;

use std::net::SocketAddr;
use std::num::NonZeroU32;

use axum::body::{Body, Bytes};
use axum::extract::ConnectInfo;
use axum::http::{Method, Request, Response, StatusCode, header};
use skywave::EngineConfig;
use skywave_whip::WhepConfig;
use tower::ServiceExt;

use support::{OFFER, Server, body, eventually, location, problem};

/// The offer without the lines that begin so.
fn without(prefix: &str) -> String {
    let kept: Vec<_> = OFFER.lines().filter(|l| !l.starts_with(prefix)).collect();
    assert!(
        kept.len() < OFFER.lines().count(),
        "{prefix} is not in the offer"
    );
    kept.join("\r\n") + "\r\n"
}

#[tokio::test]
async fn offer_is_answered_with_a_session() {
    let server = Server::start(10);
    let response = server.offer(OFFER).await;
    assert_eq!(response.status(), StatusCode::CREATED);
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/sdp");
    let location = location(&response);
    let id = location.strip_prefix("/whep/").unwrap();
    assert_eq!(id.len(), 32);

    let answer = String::from_utf8(body(response).await.to_vec()).unwrap();
    assert!(answer.starts_with("v=0\r\n"), "{answer}");
    assert!(answer.contains("\r\na=sendonly\r\n"), "{answer}");

    let stats = server.listeners.stats().await;
    assert_eq!(stats.len(), 1);
    assert_eq!(stats[0].id, id);
}

#[tokio::test]
async fn content_type_of_an_offer_may_have_parameters() {
    let server = Server::start(10);
    let response = server
        .post(Some("Application/SDP; charset=utf-8"), OFFER)
        .await;
    assert_eq!(response.status(), StatusCode::CREATED);
}

#[tokio::test]
async fn every_listener_has_its_own_session() {
    let server = Server::start(10);
    let first = location(&server.offer(OFFER).await);
    let second = location(&server.offer(OFFER).await);
    assert_ne!(first, second);
    assert_eq!(server.listeners.stats().await.len(), 2);
}

#[tokio::test]
async fn report_of_a_listener_is_had_by_its_id_as_long_as_it_is_there() {
    let server = Server::start(10);
    let session = location(&server.offer(OFFER).await);
    let id = session.strip_prefix("/whep/").unwrap();
    let report = server.listeners.stats_report(id).await.unwrap();
    let report = serde_json::to_value(report).unwrap();
    assert_eq!(report["transport"]["iceState"], "checking");
    let stats = server.listeners.stats().await;
    let ssrc = stats[0].transmission.ssrc;
    assert_eq!(report["outbound-rtp-audio"]["ssrc"], ssrc);

    assert_eq!(server.delete(&session).await.status(), StatusCode::OK);
    assert_eq!(server.listeners.stats_report(id).await, None);
}

#[tokio::test]
async fn rfc6585_4_who_has_too_many_on_their_way_in_is_told_to_come_back() {
    let config = WhepConfig {
        handshakes_per_address: 2,
        ..WhepConfig::default()
    };
    let server = Server::configured(EngineConfig::default(), config);
    let offer = async |ip: [u8; 4]| {
        let client = SocketAddr::from((ip, 50_000));
        let request = Request::post("/whep")
            .header(header::CONTENT_TYPE, "application/sdp")
            .extension(ConnectInfo(client));
        server.send(request.body(OFFER.into()).unwrap()).await
    };
    let crowd = [192, 0, 2, 1];
    let first = offer(crowd).await;
    assert_eq!(first.status(), StatusCode::CREATED);
    assert_eq!(offer(crowd).await.status(), StatusCode::CREATED);
    let refused = offer(crowd).await;
    assert_eq!(refused.headers()[header::RETRY_AFTER], "2");
    problem(refused, StatusCode::TOO_MANY_REQUESTS).await;
    assert_eq!(server.listeners.stats().await.len(), 2);
    assert_eq!(offer([192, 0, 2, 2]).await.status(), StatusCode::CREATED);

    // A listener that is gone is not on its way in.
    server.delete(&location(&first)).await;
    eventually(async || offer(crowd).await.status() == StatusCode::CREATED).await;
}

#[tokio::test]
async fn delete_hangs_up_exactly_that_listener() {
    let server = Server::start(10);
    let first = location(&server.offer(OFFER).await);
    let second = location(&server.offer(OFFER).await);

    assert_eq!(server.delete(&first).await.status(), StatusCode::OK);
    let stats = server.listeners.stats().await;
    assert_eq!(stats.len(), 1);
    assert!(second.ends_with(&stats[0].id));

    problem(server.delete(&first).await, StatusCode::NOT_FOUND).await;
    assert_eq!(server.delete(&second).await.status(), StatusCode::OK);
    server.empty().await;
}

#[tokio::test]
async fn unknown_session_is_not_found() {
    let server = Server::start(10);
    for id in ["0", "00000000000000000000000000000000", "%FF", "..%2F"] {
        let response = server.delete(&format!("/whep/{id}")).await;
        assert!(response.status().is_client_error(), "{id}");
    }
    let response = server.delete("/whep/0123456789abcdef").await;
    problem(response, StatusCode::NOT_FOUND).await;
}

#[tokio::test]
async fn malformed_offers_are_refused_and_leave_nothing() {
    let server = Server::start(10);
    let malformed = [
        String::new(),
        "hello".to_owned(),
        without("a=fingerprint:"),
        without("a=ice-ufrag:"),
        without("a=ice-pwd:"),
        without("a=rtcp-mux"),
    ];
    for offer in malformed {
        let response = server.offer(&offer).await;
        let wanted = StatusCode::BAD_REQUEST;
        assert_eq!(response.status(), wanted, "{offer}");
        assert!(!problem(response, wanted).await.is_empty());
    }
    let not_text = Bytes::from_static(&[0xff, 0xfe, 0x00]);
    let response = server.post(Some("application/sdp"), not_text).await;
    problem(response, StatusCode::BAD_REQUEST).await;
    server.empty().await;
}

#[tokio::test]
async fn sound_offers_that_cannot_be_served_are_not_acceptable() {
    let server = Server::start(10);
    let unacceptable = [
        OFFER.replace("m=audio", "m=video"),
        OFFER.replace("a=recvonly", "a=sendonly"),
        OFFER.replace("a=recvonly", "a=inactive"),
        OFFER.replace("SAVPF 111 63 9 0 8 13", "SAVPF 63 9 13"),
    ];
    for offer in unacceptable {
        assert_ne!(offer, OFFER);
        problem(server.offer(&offer).await, StatusCode::NOT_ACCEPTABLE).await;
    }
    server.empty().await;
}

#[tokio::test]
async fn large_offers_are_refused_however_large() {
    let server = Server::start(10);
    for size in [64 * 1024 + 1, 3 * 1024 * 1024] {
        let response = server.offer(&"a".repeat(size)).await;
        problem(response, StatusCode::PAYLOAD_TOO_LARGE).await;
    }
    // At the limit it is read, and found not to be SDP.
    let response = server.offer(&"a".repeat(64 * 1024)).await;
    problem(response, StatusCode::BAD_REQUEST).await;
    server.empty().await;
}

#[tokio::test]
async fn other_content_types_are_refused() {
    let server = Server::start(10);
    for content_type in [None, Some("text/plain"), Some("application/json")] {
        let response = server.post(content_type, OFFER).await;
        problem(response, StatusCode::UNSUPPORTED_MEDIA_TYPE).await;
    }
    server.empty().await;
}

#[tokio::test]
async fn full_house_is_unavailable_until_somebody_leaves() {
    let server = Server::start(1);
    let session = location(&server.offer(OFFER).await);
    assert_eq!(come_back_after(server.offer(OFFER).await).await, "30");
    assert_eq!(server.listeners.stats().await.len(), 1);

    server.delete(&session).await;
    server.empty().await;
    assert_eq!(server.offer(OFFER).await.status(), StatusCode::CREATED);
}

#[tokio::test]
async fn who_comes_while_too_many_shake_hands_is_told_to_come_back() {
    let server = Server::with(EngineConfig {
        max_handshakes: 2,
        ..EngineConfig::default()
    });
    let session = location(&server.offer(OFFER).await);
    location(&server.offer(OFFER).await);
    assert_eq!(come_back_after(server.offer(OFFER).await).await, "2");
    server.delete(&session).await;
    location(&server.offer(OFFER).await);
    assert_eq!(server.listeners.stats().await.len(), 2);
}

#[tokio::test]
async fn who_comes_when_too_many_came_is_told_to_come_back() {
    let server = Server::with(EngineConfig {
        max_joins_per_second: NonZeroU32::new(1),
        ..EngineConfig::default()
    });
    let session = location(&server.offer(OFFER).await);
    assert_eq!(come_back_after(server.offer(OFFER).await).await, "1");
    // Who is inside does not notice.
    assert_eq!(server.delete(&session).await.status(), StatusCode::OK);
}

/// The `Retry-After` of a refusal.
async fn come_back_after(response: Response<Body>) -> String {
    let delay = response.headers()[header::RETRY_AFTER].clone();
    problem(response, StatusCode::SERVICE_UNAVAILABLE).await;
    delay.to_str().unwrap().to_owned()
}

#[tokio::test]
async fn other_methods_are_answered_with_those_allowed() {
    let server = Server::start(10);
    let session = location(&server.offer(OFFER).await);
    for (path, allowed) in [
        ("/whep", "GET, HEAD, POST, OPTIONS"),
        ("/whep/second", "GET, HEAD, POST, OPTIONS"),
        (session.as_str(), "GET, HEAD, PATCH, DELETE, OPTIONS"),
    ] {
        let response = server.ask(Method::PUT, path).await;
        assert_eq!(response.headers()[header::ALLOW], allowed);
        problem(response, StatusCode::METHOD_NOT_ALLOWED).await;
    }
}

#[tokio::test]
async fn sessions_that_ended_by_themselves_are_forgotten() {
    let server = Server::start(10);
    let session = location(&server.offer(OFFER).await);
    server.engine.close().await;
    server.empty().await;
    problem(server.delete(&session).await, StatusCode::NOT_FOUND).await;
}

#[tokio::test]
async fn all_are_hung_up_with_the_last_handle() {
    let Server {
        engine,
        router,
        listeners,
    } = Server::start(10);
    let request = Request::post("/whep").header(header::CONTENT_TYPE, "application/sdp");
    let response = router
        .oneshot(request.body(Body::from(OFFER)).unwrap())
        .await;
    assert_eq!(response.unwrap().status(), StatusCode::CREATED);
    assert_eq!(engine.stats().transmitters, 1);

    drop(listeners);
    eventually(async || engine.stats().transmitters == 0).await;
}
