//! No text makes the parser or the negotiation panic; what is written, another parser reads.

use std::collections::HashSet;

use proptest::collection::vec;
use proptest::prelude::*;
use skywave_sdp::{
    Candidate, Extmap, Fingerprint, IceCredentials, LocalDescription, MediaSection, Negotiated,
    NegotiatedExtensions, SendCapabilities, SessionDescription, offer,
};

use crate::fixtures::{
    self, CHROMIUM_ANSWER, CHROMIUM_VIDEO_FIRST, CODECS, FIREFOX, mirrored, parse, receiving, with,
    without,
};

const TEXTS: [&str; 8] = [
    CHROMIUM_VIDEO_FIRST,
    CHROMIUM_ANSWER,
    FIREFOX,
    FULL,
    include_str!("../../testdata/chromium_full_answer.sdp"),
    include_str!("../../testdata/aiortc_video_first.sdp"),
    include_str!("../../testdata/webrtc_rs.sdp"),
    include_str!("../../testdata/gstreamer.sdp"),
];

/// An offer to receive everything this end knows.
const FULL: &str = include_str!("../../testdata/own_receiving.sdp");

/// Runs everything that reads a peer's text; an answer must be readable again.
fn read_everything(text: &str) {
    if let Ok(ice) = IceCredentials::from_fragment(text) {
        let again = skywave_sdp::ice_fragment("", &ice, &[]);
        assert_eq!(IceCredentials::from_fragment(&again), Ok(ice));
    }
    let Ok(description) = SessionDescription::parse(text) else {
        return;
    };
    let capabilities = everything();
    let _ = skywave_sdp::accept_answer(&description, &capabilities);
    let Ok((text, negotiated)) =
        skywave_sdp::answer(&fixtures::local(), &description, &capabilities)
    else {
        return;
    };
    let own = parse(&text);
    assert_eq!(own.media.len(), description.media.len());
    assert!(
        negotiated
            .remote_fingerprints
            .iter()
            .all(Fingerprint::is_supported)
    );
    let accepted: Vec<_> = (description.media.iter().zip(&own.media))
        .filter(|(_, answered)| !answered.is_rejected())
        .collect();
    let [(offered, answered)] = accepted.as_slice() else {
        panic!("one section is accepted");
    };
    check_subset(offered, answered);
    check_negotiated(&negotiated, answered);
}

/// RFC 9429 §5.3.1: an answer has nothing the offer did not have.
fn check_subset(offered: &MediaSection, answered: &MediaSection) {
    for format in &answered.formats {
        assert!(offered.formats.contains(format));
    }
    for extmap in &answered.extmaps {
        let is_same = |other: &Extmap| {
            (other.id, other.encrypted, &other.uri) == (extmap.id, extmap.encrypted, &extmap.uri)
        };
        assert!(offered.extmaps.iter().any(is_same));
    }
    for feedback in &answered.rtcp_feedback {
        assert!(offered.feeds_back(feedback.payload_type.unwrap(), feedback.kind));
    }
    assert!(offered.cryptex || !answered.cryptex);
    assert_eq!(offered.rcvr_rtt, answered.rcvr_rtt);
}

/// What is told is what was written.
fn check_negotiated(negotiated: &Negotiated, answered: &MediaSection) {
    let events = negotiated.telephone_event.map(|event| event.payload_type);
    let beside = [
        negotiated.red,
        negotiated.rtx,
        negotiated.comfort_noise,
        events,
    ];
    let sent: Vec<u8> = beside.into_iter().flatten().collect();
    for number in sent.iter().chain([&negotiated.payload_type]) {
        assert!(!(64..=95).contains(number));
        assert!(answered.formats.contains(&number.to_string()));
    }
    assert!(!sent.contains(&negotiated.payload_type));
    let NegotiatedExtensions {
        mid,
        audio_level,
        abs_send_time,
        abs_capture_time,
        transport_cc,
    } = negotiated.extensions;
    let extensions = [
        mid,
        audio_level,
        abs_send_time,
        abs_capture_time,
        transport_cc,
    ];
    let sent: Vec<_> = extensions.into_iter().flatten().collect();
    assert_eq!(sent.len(), answered.extmaps.len());
    let ids: HashSet<u8> = sent.iter().map(|extension| extension.id).collect();
    assert!(ids.len() == sent.len() && !ids.contains(&0) && !ids.contains(&15));
    assert!(!negotiated.cryptex || sent.iter().all(|extension| !extension.encrypted));
}

fn everything() -> SendCapabilities<'static> {
    SendCapabilities {
        abs_send_time: true,
        abs_capture_time: true,
        transport_cc: true,
        offer_encrypted_extensions: true,
        ..SendCapabilities::new(&CODECS)
    }
}

fn capabilities() -> impl Strategy<Value = SendCapabilities<'static>> {
    (any::<[bool; 11]>(), any::<u32>(), 1..=CODECS.len()).prop_map(|(on, rtx_time, codecs)| {
        SendCapabilities {
            codecs: &CODECS[..codecs],
            abs_send_time: on[0],
            abs_capture_time: on[1],
            transport_cc: on[2],
            encrypted_extensions: on[3],
            offer_encrypted_extensions: on[4],
            cryptex: on[5],
            nack: on[6],
            rtx: on[7],
            rtx_time,
            red: on[8],
            telephone_event: on[9],
            comfort_noise: on[10],
        }
    })
}

fn local() -> impl Strategy<Value = LocalDescription> {
    let address = prop_oneof![
        any::<[u8; 4]>().prop_map(std::net::IpAddr::from),
        any::<[u8; 16]>().prop_map(std::net::IpAddr::from),
    ];
    let candidate =
        (address, 1..=u16::MAX, any::<u32>()).prop_map(|(ip, port, priority)| Candidate {
            foundation: "1".to_owned(),
            component: 1,
            priority,
            address: (ip, port).into(),
        });
    let credentials = ("[a-zA-Z0-9+/]{4,32}", "[a-zA-Z0-9+/]{22,32}");
    let ids = (
        0..i64::MAX as u64,
        any::<u64>(),
        any::<u32>(),
        any::<[u8; 32]>(),
    );
    (
        credentials,
        ids,
        vec(candidate, 0..4),
        "[a-zA-Z0-9+/-]{1,24}",
    )
        .prop_map(
            |((ufrag, pwd), (session_id, session_version, ssrc, hash), candidates, name)| {
                LocalDescription {
                    session_id,
                    session_version,
                    ice: IceCredentials { ufrag, pwd },
                    fingerprint: Fingerprint {
                        algorithm: "sha-256".to_owned(),
                        value: hash.to_vec(),
                    },
                    candidates,
                    ssrc,
                    rtx_ssrc: Some(!ssrc),
                    cname: name.clone(),
                    stream_id: name.clone(),
                    track_id: name,
                }
            },
        )
}

proptest! {
    #[test]
    fn arbitrary_text_does_not_panic(text in "\\PC{0,400}") {
        read_everything(&text);
    }

    #[test]
    fn arbitrary_lines_do_not_panic(
        lines in vec("([a-z]=|a=[a-z-]{1,12}:?)[ -~é\t]{0,40}", 0..40)
    ) {
        read_everything(&format!("v=0\n{}", lines.join("\n")));
    }

    #[test]
    fn mutated_descriptions_do_not_panic(
        text in proptest::sample::select(&TEXTS[..]),
        edits in vec((any::<proptest::sample::Index>(), any::<char>(), 0..3u8), 1..12),
    ) {
        let mut chars: Vec<char> = text.chars().collect();
        for (position, replacement, edit) in edits {
            let position = position.index(chars.len());
            match edit {
                0 => chars[position] = replacement,
                1 => chars.insert(position, replacement),
                _ => {
                    chars.remove(position);
                }
            }
        }
        read_everything(&chars.into_iter().collect::<String>());
    }

    #[test]
    fn shuffled_lines_do_not_panic(
        lines in proptest::sample::select(&TEXTS[..])
            .prop_flat_map(|text| Just(text.lines().collect::<Vec<_>>()).prop_shuffle())
    ) {
        read_everything(&format!("v=0\n{}", lines.join("\n")));
    }

    #[test]
    fn peer_that_wants_everything_gets_what_was_offered(own in capabilities()) {
        let text = offer(&fixtures::local(), &own);
        let section = &parse(&text).media[0];
        let numbers: HashSet<_> = section.formats.iter().collect();
        prop_assert_eq!(numbers.len(), section.formats.len());
        prop_assert_eq!(section.rtpmaps.len(), section.formats.len());
        let answer = parse(&mirrored(&text));
        let negotiated = skywave_sdp::accept_answer(&answer, &own).unwrap();
        prop_assert_eq!(negotiated.payload_type, 111);
        prop_assert_eq!(negotiated.nack, own.nack);
        prop_assert_eq!(negotiated.rtx.is_some(), own.nack && own.rtx);
        prop_assert_eq!(negotiated.red.is_some(), own.red);
        prop_assert_eq!(negotiated.telephone_event.is_some(), own.telephone_event);
        prop_assert_eq!(negotiated.comfort_noise, None);
        prop_assert_eq!(negotiated.transport_cc, own.transport_cc);
        prop_assert_eq!(negotiated.extensions.abs_send_time.is_some(), own.abs_send_time);
        prop_assert_eq!(negotiated.extensions.abs_capture_time.is_some(), own.abs_capture_time);
        prop_assert_eq!(negotiated.cryptex, own.cryptex);
        let encrypted = negotiated.extensions.mid.unwrap().encrypted;
        let offered = own.encrypted_extensions && own.offer_encrypted_extensions;
        prop_assert_eq!(encrypted, offered && !own.cryptex);
        prop_assert!(negotiated.tmmbr && negotiated.rcvr_rtt && negotiated.audio_level_vad);
    }

    #[test]
    fn two_ends_of_the_same_kind_agree(own in capabilities(), peer in capabilities()) {
        read_everything(&receiving(&offer(&fixtures::local(), &own)));
        let text = receiving(&offer(&fixtures::local(), &peer));
        let (text, answered) = skywave_sdp::answer(&fixtures::local(), &parse(&text), &own).unwrap();
        // The peer, if it were to send, would understand the answer in the same way.
        let answer = without(&with(&text, "a=sendonly", "a=recvonly"), "a=ice-lite");
        let accepted = skywave_sdp::accept_answer(&parse(&answer), &peer).unwrap();
        prop_assert_eq!(accepted.extensions, answered.extensions);
        prop_assert_eq!(
            (accepted.cryptex, accepted.nack, accepted.transport_cc),
            (answered.cryptex, answered.nack, answered.transport_cc)
        );
        prop_assert_eq!(
            (accepted.red, accepted.rtx, accepted.telephone_event),
            (answered.red, answered.rtx, answered.telephone_event)
        );
    }

    #[test]
    fn offer_round_trips_and_another_parser_reads_it(local in local(), own in capabilities()) {
        let text = offer(&local, &own);
        let own = parse(&text);
        prop_assert_eq!(&own.media[0].candidates, &local.candidates);
        prop_assert_eq!(&own.media[0].fingerprints[0], &local.fingerprint);
        prop_assert_eq!(own.media[0].ice_pwd.as_ref(), Some(&local.ice.pwd));
        let other = sdp_types::Session::parse(text.as_bytes()).unwrap();
        prop_assert_eq!(other.origin.sess_id, local.session_id.to_string());
        prop_assert_eq!(other.medias[0].port, own.media[0].port);
        let values = |name: &str| -> Vec<String> {
            let attributes = other.medias[0].attributes.iter();
            let named = attributes.filter(|attribute| attribute.attribute == name);
            named.filter_map(|attribute| attribute.value.clone()).collect()
        };
        prop_assert_eq!(values("fingerprint"), [local.fingerprint.to_string()]);
        let candidates: Vec<_> = local.candidates.iter().map(Candidate::to_string).collect();
        prop_assert_eq!(values("candidate"), candidates);
    }
}
