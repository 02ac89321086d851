//! The `sendonly` answer to an offer that receives audio (RFC 9429 §5.3.1, WHEP).

use crate::local_description::{RTCP_LINE, UNSPECIFIED_CONNECTION, text_of};
use crate::terms::Terms;
use crate::transport::{Transport, is_bundled};
use crate::{
    Error, LocalDescription, MediaSection, Negotiated, Rtpmap, SendCapabilities,
    SessionDescription, Setup,
};

/// Answers an offer that receives audio, and says what was agreed.
///
/// The first audio section that can be served is accepted, all other sections are rejected. It
/// lists the formats known to both ends in the offer's order; the first codec is the one to send.
/// Nothing is in it that the offer did not have (RFC 9429 §5.3.1), except that an own `rtx-time`
/// and the events in common are written where the offer had others or none.
///
/// This end is DTLS server unless the offer says `passive`: it is ICE-lite, so the peer's
/// ClientHello follows its own check without a round trip in between, as in WHEP's example.
/// (RFC 9429 only recommends `active`.)
///
/// # Errors
/// Says why the first audio section cannot be served, if none can.
pub fn answer(
    local: &LocalDescription,
    offer: &SessionDescription,
    capabilities: &SendCapabilities<'_>,
) -> Result<(String, Negotiated), Error> {
    let (chosen, terms, negotiated) = choose_section(offer, capabilities)?;
    let setup = if negotiated.dtls_client {
        Setup::Active
    } else {
        Setup::Passive
    };
    let section = &offer.media[chosen];
    let bundle = section
        .mid
        .as_deref()
        .filter(|_| is_bundled(offer, section));
    let mut lines = local.session_lines(bundle, &answered_ice_options(section));
    if offer.extmap_allow_mixed {
        lines.push("a=extmap-allow-mixed".to_owned());
    }
    for (index, section) in offer.media.iter().enumerate() {
        lines.extend(if index == chosen {
            accepted_lines(local, offer, section, setup, &terms)
        } else {
            rejected_lines(local, section, setup)
        });
    }
    Ok((text_of(&lines), negotiated))
}

/// The first audio section that can be served, or why the first one cannot.
fn choose_section(
    offer: &SessionDescription,
    capabilities: &SendCapabilities<'_>,
) -> Result<(usize, Terms, Negotiated), Error> {
    let mut first_error = None;
    for (index, section) in offer.media.iter().enumerate() {
        if section.kind != "audio" {
            continue;
        }
        match accept_section(offer, section, capabilities) {
            Ok((terms, negotiated)) => return Ok((index, terms, negotiated)),
            Err(error) => {
                first_error.get_or_insert(error);
            }
        }
    }
    Err(first_error.unwrap_or(Error::NoAudio))
}

fn accept_section(
    offer: &SessionDescription,
    section: &MediaSection,
    capabilities: &SendCapabilities<'_>,
) -> Result<(Terms, Negotiated), Error> {
    if section.is_rejected() {
        return Err(Error::AudioDisabled);
    }
    if !section.direction.receives() {
        return Err(Error::NotReceiving(section.direction));
    }
    let transport = Transport::of(offer, section)?;
    let terms = Terms::agreed(section, capabilities);
    let Some(codec) = terms.codec() else {
        let offered = section.codec_names();
        return Err(Error::NoCommonCodec { offered });
    };
    let negotiated = Negotiated::new(offer, section, transport, &terms, codec);
    Ok((terms, negotiated))
}

fn accepted_lines(
    local: &LocalDescription,
    offer: &SessionDescription,
    section: &MediaSection,
    setup: Setup,
    terms: &Terms,
) -> Vec<String> {
    let mut lines = local.media_lines(&section.proto, &terms.numbers());
    lines.push(RTCP_LINE.to_owned());
    lines.extend(local.transport_lines(setup));
    lines.extend(section.mid.iter().map(|mid| format!("a=mid:{mid}")));
    if section.extmap_allow_mixed && !offer.extmap_allow_mixed {
        lines.push("a=extmap-allow-mixed".to_owned());
    }
    lines.extend(terms.extmap_lines());
    lines.extend(["a=sendonly".to_owned(), "a=rtcp-mux".to_owned()]);
    // No a=rtcp-mux-only: RFC 8858 §4 has it in offers only.
    if section.rtcp_rsize {
        lines.push("a=rtcp-rsize".to_owned());
    }
    lines.extend(terms.format_lines());
    lines.extend(local.source_lines(terms.has_retransmission()));
    lines
}

/// A section with port 0. It carries a transport and codecs all the same: aiortc looks for ICE
/// credentials, `a=rtcp-mux` and a codec of its own in every section.
fn rejected_lines(local: &LocalDescription, section: &MediaSection, setup: Setup) -> Vec<String> {
    let MediaSection {
        kind,
        proto,
        formats,
        ..
    } = section;
    let mut lines = vec![
        format!("m={kind} 0 {proto} {}", formats.join(" ")),
        UNSPECIFIED_CONNECTION.to_owned(),
    ];
    lines.extend(local.transport_lines(setup));
    lines.extend(section.mid.iter().map(|mid| format!("a=mid:{mid}")));
    lines.push("a=inactive".to_owned());
    if section.rtcp_mux {
        lines.push("a=rtcp-mux".to_owned());
    }
    lines.extend(section.rtpmaps.iter().map(Rtpmap::line));
    lines
}

/// Of the options this end has, those that were offered.
pub(crate) fn answered_ice_options(section: &MediaSection) -> String {
    let offered = section.ice_options.iter().map(String::as_str);
    let known: Vec<_> = offered
        .filter(|option| ICE_OPTIONS.contains(option))
        .collect();
    known.join(" ")
}

/// Trickled candidates of the peer do no harm to a lite agent, which needs none; `ice2` is RFC
/// 8445.
const ICE_OPTIONS: [&str; 2] = ["trickle", "ice2"];
