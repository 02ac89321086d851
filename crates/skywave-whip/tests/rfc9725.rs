//! WHEP clause by clause: the draft, and what it shares with RFC 9725 (WHIP).

#![allow(clippy::unwrap_used)]

mod support;

use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, Response, StatusCode, header};
use skywave::EngineConfig;
use skywave_whip::{Origins, WhepConfig};

use support::{FRAGMENT, OFFER, Server, body, location, problem};

/// A browser's fragment, with its second candidate.
fn fragment(ufrag: &str) -> String {
    format!(
        "a=group:BUNDLE 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=ice-ufrag:{ufrag}\r\n\
         a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n\
         a=candidate:3471623853 1 udp 2122194687 198.51.100.2 61765 typ host generation 0\r\n\
         a=candidate:473322822 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active\r\n\
         a=candidate:1 1 udp 2113937151 06d1f1a0-3c33.local 51820 typ host\r\n\
         a=end-of-candidates\r\n"
    )
}

/// The user name fragment of the offer.
fn offered_ufrag() -> &'static str {
    line(OFFER, "a=ice-ufrag:")
}

/// What follows `prefix` in the line that begins with it.
fn line<'a>(text: &'a str, prefix: &str) -> &'a str {
    let mut lines = text.lines().filter_map(|line| line.strip_prefix(prefix));
    lines
        .next()
        .unwrap_or_else(|| panic!("no {prefix} in {text}"))
}

fn etag(response: &Response<Body>) -> String {
    response.headers()[header::ETAG]
        .to_str()
        .unwrap()
        .to_owned()
}

async fn text(response: Response<Body>) -> String {
    String::from_utf8(body(response).await.to_vec()).unwrap()
}

/// The headers of an answer to a page of this origin.
async fn from_page(server: &Server, request: Request<Body>, origin: &str) -> HeaderMap {
    let (mut parts, body) = request.into_parts();
    parts
        .headers
        .insert(header::ORIGIN, origin.parse().unwrap());
    let response = server.send(Request::from_parts(parts, body)).await;
    response.headers().clone()
}

fn preflight(path: &str) -> Request<Body> {
    Request::options(path)
        .header(header::ACCESS_CONTROL_REQUEST_METHOD, "POST")
        .header(
            header::ACCESS_CONTROL_REQUEST_HEADERS,
            "authorization,content-type",
        )
        .body(Body::empty())
        .unwrap()
}

#[tokio::test]
async fn rfc9725_4_1_get_and_head_succeed_without_content() {
    let server = Server::start(10);
    let session = location(&server.offer(OFFER).await);
    for path in ["/whep", "/whep/second", &session] {
        for method in [Method::GET, Method::HEAD] {
            let response = server.ask(method, path).await;
            assert!(response.status().is_success(), "{path}");
            assert!(body(response).await.is_empty(), "{path}");
        }
    }
    let response = server.ask(Method::GET, "/whep/nobody").await;
    problem(response, StatusCode::NOT_FOUND).await;
}

#[tokio::test]
async fn whep_4_2_head_of_an_endpoint_tells_players_what_it_is() {
    let server = Server::start(10);
    let response = server.ask(Method::HEAD, "/whep").await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/sdp");
}

#[tokio::test]
async fn rfc9725_4_2_options_answer_200_with_what_may_be_posted() {
    let server = Server::start(10);
    for path in ["/whep", "/whep/second", "/whep/a-session"] {
        for request in [
            Request::options(path).body(Body::empty()).unwrap(),
            preflight(path),
        ] {
            let response = server.send(request).await;
            assert_eq!(response.status(), StatusCode::OK);
            assert_eq!(response.headers()["accept-post"], "application/sdp");
        }
        let response = server.ask(Method::OPTIONS, path).await;
        assert_eq!(response.headers()["accept-patch"], FRAGMENT);
    }
}

#[tokio::test]
async fn fetch_3_3_pages_of_all_origins_may_send_what_whep_needs_and_read_what_it_answers() {
    let server = Server::start(10);
    let headers = from_page(&server, preflight("/whep"), "https://radio.example").await;
    assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
    let list = |name| headers[&name].to_str().unwrap().to_ascii_lowercase();
    for method in ["post", "patch", "delete"] {
        let methods = list(header::ACCESS_CONTROL_ALLOW_METHODS);
        assert!(methods.contains(method), "{methods}");
    }
    for name in ["authorization", "content-type", "if-match"] {
        let names = list(header::ACCESS_CONTROL_ALLOW_HEADERS);
        assert!(names.contains(name), "{names}");
    }
    for request in [
        Request::post("/whep").body(Body::empty()).unwrap(),
        Request::delete("/whep/0").body(Body::empty()).unwrap(),
    ] {
        let headers = from_page(&server, request, "https://radio.example").await;
        assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
        let exposed = headers[header::ACCESS_CONTROL_EXPOSE_HEADERS]
            .to_str()
            .unwrap();
        for name in ["Location", "ETag", "Link", "Retry-After"] {
            assert!(exposed.contains(name), "{exposed}");
        }
    }
}

#[tokio::test]
async fn fetch_3_3_other_origins_than_those_listed_are_told_nothing() {
    let config = WhepConfig {
        origins: "https://radio.example".parse().unwrap(),
        ..WhepConfig::default()
    };
    let server = Server::configured(EngineConfig::default(), config);
    let listed = from_page(&server, preflight("/whep"), "https://radio.example").await;
    let allowed = &listed[header::ACCESS_CONTROL_ALLOW_ORIGIN];
    assert_eq!(allowed, "https://radio.example");
    assert_eq!(listed[header::VARY], "Origin");
    for other in [
        "https://other.example",
        "null",
        "https://radio.example.evil",
    ] {
        let headers = from_page(&server, preflight("/whep"), other).await;
        assert!(
            !headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN),
            "{other}"
        );
    }
    let origins: Origins = "".parse().unwrap();
    assert_eq!(origins, Origins::Only(Vec::new()));
}

#[tokio::test]
async fn rfc9725_4_2_offer_is_answered_with_a_strong_etag_and_a_location() {
    let server = Server::start(10);
    let first = server.offer(OFFER).await;
    assert_eq!(first.status(), StatusCode::CREATED);
    let tag = etag(&first);
    assert!(tag.starts_with('"') && tag.ends_with('"'), "{tag}");
    assert!(location(&first).starts_with("/whep/"));
    assert_ne!(etag(&server.offer(OFFER).await), tag, "unique");
}

#[tokio::test]
async fn rfc9725_4_4_answer_has_all_candidates_of_the_server() {
    let server = Server::start(10);
    let answer = text(server.offer(OFFER).await).await;
    for address in server.engine.candidates() {
        let (ip, port) = (address.ip(), address.port());
        let candidate = format!(" {ip} {port} typ host\r\n");
        assert!(answer.contains(&candidate), "{candidate} in {answer}");
    }
    assert!(answer.contains("a=end-of-candidates\r\n"), "{answer}");
}

#[tokio::test]
async fn rfc9725_4_3_2_trickled_candidates_are_204_without_an_etag() {
    let server = Server::start(10);
    let response = server.offer(OFFER).await;
    let (session, tag) = (location(&response), etag(&response));
    for tag in [tag.as_str(), "*"] {
        let response = server
            .patch(&session, Some(tag), &fragment(offered_ufrag()))
            .await;
        assert_eq!(response.status(), StatusCode::NO_CONTENT);
        assert!(!response.headers().contains_key(header::ETAG));
        assert!(body(response).await.is_empty());
    }
}

#[tokio::test]
async fn rfc9725_4_3_3_restart_is_200_with_new_credentials_and_a_new_etag() {
    let server = Server::start(10);
    let response = server.offer(OFFER).await;
    let (session, tag) = (location(&response), etag(&response));
    let answer = text(response).await;

    let response = server.patch(&session, Some("*"), &fragment("ysXw")).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()[header::CONTENT_TYPE], FRAGMENT);
    let new_tag = etag(&response);
    assert_ne!(new_tag, tag);
    let restarted = text(response).await;
    for prefix in ["a=ice-ufrag:", "a=ice-pwd:"] {
        assert_ne!(
            line(&restarted, prefix),
            line(&answer, prefix),
            "RFC 8445 §9"
        );
    }
    // The same as in the answer.
    for prefix in [
        "a=ice-lite",
        "a=ice-options:",
        "a=group:BUNDLE",
        "a=mid:",
        "a=candidate:",
    ] {
        assert_eq!(line(&restarted, prefix), line(&answer, prefix), "{prefix}");
    }
    assert!(restarted.contains("\r\nm=audio 9 "), "RFC 8840 §9");

    // Candidates for the new ICE session, and late ones for the old.
    let trickled = server
        .patch(&session, Some(&new_tag), &fragment("ysXw"))
        .await;
    assert_eq!(trickled.status(), StatusCode::NO_CONTENT);
    let late = server
        .patch(&session, Some(&tag), &fragment(offered_ufrag()))
        .await;
    problem(late, StatusCode::PRECONDITION_FAILED).await;
    // The asterisk as the RFC's example has it.
    let again = server
        .patch(&session, Some("\"*\""), &fragment("aBcD"))
        .await;
    assert_eq!(again.status(), StatusCode::OK);
}

#[tokio::test]
async fn rfc9725_4_3_1_patch_without_an_etag_is_428_and_with_another_412() {
    let server = Server::start(10);
    let session = location(&server.offer(OFFER).await);
    for ufrag in [offered_ufrag(), "ysXw"] {
        let response = server.patch(&session, None, &fragment(ufrag)).await;
        problem(response, StatusCode::PRECONDITION_REQUIRED).await;
        let response = server
            .patch(&session, Some("\"xyzzy\""), &fragment(ufrag))
            .await;
        problem(response, StatusCode::PRECONDITION_FAILED).await;
    }
}

#[tokio::test]
async fn rfc9725_4_3_1_patch_that_is_no_fragment_is_refused_and_leaves_the_session() {
    let server = Server::start(10);
    let response = server.offer(OFFER).await;
    let (session, tag) = (location(&response), etag(&response));
    for wrong in [
        "",
        "hello",
        "a=ice-ufrag:ysXw\r\n",
        "a=ice-ufrag:x\r\na=ice-pwd:y\r\n",
    ] {
        let response = server.patch(&session, Some(&tag), wrong).await;
        assert!(!problem(response, StatusCode::BAD_REQUEST).await.is_empty());
    }
    for content_type in ["application/sdp", "application/json"] {
        let request = Request::patch(&session)
            .header(header::CONTENT_TYPE, content_type)
            .header(header::IF_MATCH, "*")
            .body(fragment("ysXw").into())
            .unwrap();
        let response = server.send(request).await;
        assert_eq!(
            response.headers()["accept-patch"],
            FRAGMENT,
            "RFC 5789 §2.2"
        );
        problem(response, StatusCode::UNSUPPORTED_MEDIA_TYPE).await;
    }
    let response = server
        .patch(&session, Some(&tag), &"a".repeat(70_000))
        .await;
    problem(response, StatusCode::PAYLOAD_TOO_LARGE).await;
    let response = server
        .patch("/whep/nobody", Some("*"), &fragment("ysXw"))
        .await;
    problem(response, StatusCode::NOT_FOUND).await;
    // The same ICE session as before.
    let trickled = server
        .patch(&session, Some(&tag), &fragment(offered_ufrag()))
        .await;
    assert_eq!(trickled.status(), StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn rfc9725_4_3_1_delete_ignores_entity_tags() {
    let server = Server::start(10);
    let session = location(&server.offer(OFFER).await);
    let request = Request::delete(&session)
        .header(header::IF_MATCH, "\"xyzzy\"")
        .body(Body::empty())
        .unwrap();
    assert_eq!(server.send(request).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn rfc9725_4_6_ice_servers_are_links_of_the_answer() {
    let config = WhepConfig {
        ice_servers: vec![
            "stun:stun.example.net".parse().unwrap(),
            "turn:turn.example.net?transport=udp user password"
                .parse()
                .unwrap(),
        ],
        ..WhepConfig::default()
    };
    let server = Server::configured(EngineConfig::default(), config);
    let response = server.offer(OFFER).await;
    let links: Vec<_> = response.headers().get_all(header::LINK).iter().collect();
    assert_eq!(links.len(), 2);
    assert_eq!(links[0], "<stun:stun.example.net>; rel=\"ice-server\"");
    assert!(
        links[1]
            .to_str()
            .unwrap()
            .starts_with("<turn:turn.example.net?transport=udp>; rel=")
    );
}

#[tokio::test]
async fn whep_4_3_7_listeners_of_nothing_are_409_with_a_time() {
    let config = WhepConfig {
        only_live: true,
        ..WhepConfig::default()
    };
    let engine = skywave::Engine::bind(EngineConfig {
        udp: "127.0.0.1:0".parse().unwrap(),
        ..EngineConfig::default()
    })
    .unwrap();
    let track = engine.audio_track(skywave::TrackConfig::default());
    track.replace_audio_source(skywave::PcmReader::new(&[][..]));
    let (router, listeners) = skywave_whip::Whep::new(engine.clone(), config)
        .channel("main", track.clone())
        .unwrap()
        .into_router();
    let server = Server {
        engine,
        router,
        listeners,
    };
    support::eventually(async || track.stats().ended).await;
    let response = server.offer(OFFER).await;
    assert_eq!(response.headers()[header::RETRY_AFTER], "5");
    problem(response, StatusCode::CONFLICT).await;
    track.replace_audio_source(skywave::Melody::new());
    support::eventually(async || !track.stats().ended).await;
    assert_eq!(server.offer(OFFER).await.status(), StatusCode::CREATED);
}

#[tokio::test]
async fn rfc9110_15_6_4_draining_server_sends_newcomers_away_and_keeps_who_is_there() {
    let server = Server::start(10);
    let response = server.offer(OFFER).await;
    let (session, tag) = (location(&response), etag(&response));
    server.listeners.drain();
    let refused = server.offer(OFFER).await;
    assert_eq!(refused.headers()[header::RETRY_AFTER], "5");
    problem(refused, StatusCode::SERVICE_UNAVAILABLE).await;
    assert_eq!(server.listeners.stats().await.len(), 1);
    let restarted = server.patch(&session, Some(&tag), &fragment("ysXw")).await;
    assert_eq!(restarted.status(), StatusCode::OK);
}

#[tokio::test]
async fn every_channel_has_its_listeners_and_all_sessions_one_address() {
    let server = Server::start(10);
    for path in ["/whep", "/whep/first", "/whep/second"] {
        let request = Request::post(path).header(header::CONTENT_TYPE, "application/sdp");
        let response = server.send(request.body(OFFER.into()).unwrap()).await;
        assert_eq!(response.status(), StatusCode::CREATED, "{path}");
        let session = location(&response);
        assert_eq!(session.len(), "/whep/".len() + 32, "{session}");
        assert_eq!(
            server.ask(Method::GET, &session).await.status(),
            StatusCode::NO_CONTENT
        );
    }
    let counts = server.listeners.by_channel().await;
    assert_eq!((counts["first"], counts["second"]), (2, 1));
    let response = server.ask(Method::POST, "/whep/third").await;
    problem(response, StatusCode::NOT_FOUND).await;
}

#[tokio::test]
async fn rfc9110_10_2_2_location_is_right_wherever_the_router_is_nested() {
    let mut server = Server::start(10);
    server.router = axum::Router::new().nest("/radio", server.router.clone());
    for path in ["/radio/whep", "/radio/whep/second"] {
        let request = Request::post(path).header(header::CONTENT_TYPE, "application/sdp");
        let response = server.send(request.body(OFFER.into()).unwrap()).await;
        let session = location(&response);
        assert!(session.starts_with("/radio/whep/"), "{session}");
        assert_eq!(server.delete(&session).await.status(), StatusCode::OK);
    }
}
