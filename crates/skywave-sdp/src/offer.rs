//! The `sendonly` audio offer (RFC 9429 §5.2.1) and the check of its answer (§5.11).

use crate::local_description::{RTCP_LINE, text_of};
use crate::terms::Terms;
use crate::transport::Transport;
use crate::{
    Error, LocalDescription, MediaSection, Negotiated, SendCapabilities, SessionDescription, Setup,
};

/// Writes an offer of one audio section that this end sends on.
///
/// It says ICE-lite, `actpass`, RTP and RTCP on one port only, reduced-size RTCP, and a BUNDLE
/// group of the one mid `0`. All candidates are in it, so none are trickled later; the peer may
/// trickle its own. There must be a codec. What is offered beside codecs has payload types of 96 to
/// 127 and 35 to 63 that no codec has; the same capabilities always get the same numbers.
#[must_use]
pub fn offer(local: &LocalDescription, capabilities: &SendCapabilities<'_>) -> String {
    let terms = Terms::offered(capabilities);
    let mut lines = local.session_lines(Some(OFFERED_MID), "trickle ice2");
    lines.extend(local.media_lines("UDP/TLS/RTP/SAVPF", &terms.numbers()));
    lines.push(RTCP_LINE.to_owned());
    lines.extend(local.transport_lines(Setup::ActPass));
    lines.push(format!("a=mid:{OFFERED_MID}"));
    lines.extend(terms.extmap_lines());
    lines.extend([
        "a=sendonly".to_owned(),
        "a=rtcp-mux".to_owned(),
        "a=rtcp-mux-only".to_owned(),
        "a=rtcp-rsize".to_owned(),
    ]);
    lines.extend(terms.format_lines());
    lines.extend(local.source_lines(false));
    text_of(&lines)
}

/// Checks an answer to an [`offer`] of the same capabilities.
///
/// The first codec the answer lists is the one to send. `sendrecv` is taken for `recvonly`: what
/// the peer sends was not asked for.
///
/// # Errors
/// Says in what the answer does not fit the offer, or what of the transport is missing.
pub fn accept_answer(
    answer: &SessionDescription,
    capabilities: &SendCapabilities<'_>,
) -> Result<Negotiated, Error> {
    let section = answered_section(answer)?;
    let transport = Transport::of(answer, section)?;
    if !matches!(transport.setup, Some(Setup::Active | Setup::Passive)) {
        return Err(Error::UndecidedSetup);
    }
    let mut kept = section.clone();
    Terms::offered(capabilities).restrict(&mut kept);
    let terms = Terms::agreed(&kept, capabilities);
    let Some(codec) = terms.codec() else {
        let answered = section.codec_names();
        return Err(Error::CodecNotOffered { answered });
    };
    Ok(Negotiated::new(answer, &kept, transport, &terms, codec))
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

const OFFERED_MID: &str = "0";
