//! The `sendonly` audio offer (RFC 9429 §5.2.1) and the check of its answer (§5.11).

use crate::local_description::{RTCP_LINE, text_of};
use crate::negotiated::collides_with_rtcp;
use crate::transport::Transport;
use crate::{
    AUDIO_LEVEL_URI, CodecDescription, Error, LocalDescription, MID_URI, MediaSection, Negotiated,
    SessionDescription, Setup,
};

/// Writes an offer of one audio section that this end sends on.
///
/// It says ICE-lite, `actpass`, RTP and RTCP on one port only, reduced-size RTCP, and a BUNDLE
/// group of the one mid `0`. All candidates are in it, so none are trickled later; the peer may
/// trickle its own. `codecs` must not be empty.
#[must_use]
pub fn offer(local: &LocalDescription, codecs: &[CodecDescription]) -> String {
    let formats: Vec<_> = codecs
        .iter()
        .map(|codec| codec.payload_type.to_string())
        .collect();
    let mut lines = local.session_lines(Some(OFFERED_MID), "trickle ice2");
    lines.extend(local.media_lines("UDP/TLS/RTP/SAVPF", &formats.join(" ")));
    lines.push(RTCP_LINE.to_owned());
    lines.extend(local.transport_lines(Setup::ActPass));
    lines.extend([
        format!("a=mid:{OFFERED_MID}"),
        format!("a=extmap:{OFFERED_MID_ID} {MID_URI}"),
        format!("a=extmap:{OFFERED_AUDIO_LEVEL_ID} {AUDIO_LEVEL_URI}"),
        "a=sendonly".to_owned(),
        "a=rtcp-mux".to_owned(),
        "a=rtcp-mux-only".to_owned(),
        "a=rtcp-rsize".to_owned(),
    ]);
    lines.extend(
        codecs
            .iter()
            .flat_map(|codec| codec.lines(codec.payload_type)),
    );
    lines.extend(local.source_lines());
    text_of(&lines)
}

/// Checks an answer to an [`offer`] of the same `codecs`.
///
/// The first codec the answer lists is the one to send. `sendrecv` is taken for `recvonly`: what
/// the peer sends was not asked for.
///
/// # Errors
/// Says in what the answer does not fit the offer, or what of the transport is missing.
pub fn accept_answer(
    answer: &SessionDescription,
    codecs: &[CodecDescription],
) -> Result<Negotiated, Error> {
    let section = answered_section(answer)?;
    let transport = Transport::of(answer, section)?;
    if !matches!(transport.setup, Some(Setup::Active | Setup::Passive)) {
        return Err(Error::UndecidedSetup);
    }
    let (codec, payload_type) = answered_codec(section, codecs).ok_or_else(|| {
        let answered = section.codec_names();
        Error::CodecNotOffered { answered }
    })?;
    let mut negotiated = Negotiated::new(answer, section, transport, codec, payload_type);
    // An answer must not move an extension to another id (RFC 8285 §7).
    negotiated.mid_extension = negotiated.mid_extension.filter(|id| *id == OFFERED_MID_ID);
    negotiated.audio_level_extension = negotiated
        .audio_level_extension
        .filter(|id| *id == OFFERED_AUDIO_LEVEL_ID);
    Ok(negotiated)
}

fn answered_section(answer: &SessionDescription) -> Result<&MediaSection, Error> {
    let [section] = answer.media.as_slice() else {
        return Err(Error::AnswerMismatch(
            "it must have exactly one media section",
        ));
    };
    if section.kind != "audio" {
        return Err(Error::AnswerMismatch("its media section is not audio"));
    }
    if section.is_rejected() {
        return Err(Error::Rejected);
    }
    if section.mid.as_ref().is_some_and(|mid| mid != OFFERED_MID) {
        return Err(Error::AnswerMismatch("its media section has another mid"));
    }
    if !section.direction.receives() {
        return Err(Error::NotReceiving(section.direction));
    }
    Ok(section)
}

fn answered_codec(section: &MediaSection, codecs: &[CodecDescription]) -> Option<(usize, u8)> {
    section.formats.iter().find_map(|format| {
        let payload_type = format.parse().ok()?;
        let rtpmap = section.rtpmap(payload_type)?;
        let codec = codecs
            .iter()
            .position(|own| own.payload_type == payload_type && own.matches(&rtpmap))?;
        (!collides_with_rtcp(payload_type)).then_some((codec, payload_type))
    })
}

const OFFERED_MID: &str = "0";
const OFFERED_MID_ID: u8 = 1;
const OFFERED_AUDIO_LEVEL_ID: u8 = 2;
