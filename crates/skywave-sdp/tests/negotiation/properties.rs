//! No text makes the parser or the negotiation panic; what is written, another parser reads.

use proptest::collection::vec;
use proptest::prelude::*;
use skywave_sdp::{
    Candidate, Fingerprint, IceCredentials, LocalDescription, SendCapabilities, SessionDescription,
    offer,
};

use crate::fixtures::{CHROMIUM_ANSWER, CHROMIUM_VIDEO_FIRST, CODECS, FIREFOX, answer, parse};

const TEXTS: [&str; 6] = [
    CHROMIUM_VIDEO_FIRST,
    CHROMIUM_ANSWER,
    FIREFOX,
    include_str!("../../testdata/aiortc_video_first.sdp"),
    include_str!("../../testdata/webrtc_rs.sdp"),
    include_str!("../../testdata/gstreamer.sdp"),
];

/// Runs everything that reads a peer's text; an answer must be readable again.
fn read_everything(text: &str) {
    let Ok(description) = SessionDescription::parse(text) else {
        return;
    };
    let _ = skywave_sdp::accept_answer(&description, &SendCapabilities::new(&CODECS));
    if let Ok((text, negotiated)) = answer(text) {
        let own = parse(&text);
        assert_eq!(own.media.len(), description.media.len());
        assert!(!(64..=95).contains(&negotiated.payload_type));
        assert!(
            negotiated
                .remote_fingerprints
                .iter()
                .all(Fingerprint::is_supported)
        );
        let accepted = own.media.iter().filter(|section| !section.is_rejected());
        assert_eq!(accepted.count(), 1);
    }
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
    fn offer_round_trips_and_another_parser_reads_it(local in local()) {
        let text = offer(&local, &SendCapabilities::new(&CODECS));
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
