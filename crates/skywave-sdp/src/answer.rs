//! The `sendonly` answer to an offer that receives audio (RFC 9429 §5.3.1, WHEP).

use crate::local_description::{RTCP_LINE, UNSPECIFIED_CONNECTION, text_of};
use crate::negotiated::{agreed_extension, collides_with_rtcp};
use crate::transport::{Transport, is_bundled};
use crate::{
    AUDIO_LEVEL_URI, CodecDescription, Error, LocalDescription, MID_URI, MediaSection, Negotiated,
    Rtpmap, SessionDescription, Setup,
};

/// Answers an offer that receives audio, and says what was agreed.
///
/// The first audio section that can be served is accepted, all other sections are rejected. It
/// lists the codecs known to both ends in the offer's order; the first is the one to send. This
/// end is DTLS server unless the offer says `passive`: it is ICE-lite, so the peer's ClientHello
/// follows its own check without a round trip in between, as in WHEP's example. (RFC 9429 only
/// recommends `active`.)
///
/// # Errors
/// Says why the first audio section cannot be served, if none can.
pub fn answer(
    local: &LocalDescription,
    offer: &SessionDescription,
    codecs: &[CodecDescription],
) -> Result<(String, Negotiated), Error> {
    let (chosen, formats, negotiated) = choose_section(offer, codecs)?;
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
            accepted_lines(local, offer, section, setup, &formats, codecs)
        } else {
            rejected_lines(local, section, setup)
        });
    }
    Ok((text_of(&lines), negotiated))
}

/// A codec's index and the payload type it has in the offer.
type Format = (usize, u8);

/// The first audio section that can be served, or why the first one cannot.
fn choose_section(
    offer: &SessionDescription,
    codecs: &[CodecDescription],
) -> Result<(usize, Vec<Format>, Negotiated), Error> {
    let mut first_error = None;
    for (index, section) in offer.media.iter().enumerate() {
        if section.kind != "audio" {
            continue;
        }
        match accept_section(offer, section, codecs) {
            Ok((formats, negotiated)) => return Ok((index, formats, negotiated)),
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
    codecs: &[CodecDescription],
) -> Result<(Vec<Format>, Negotiated), Error> {
    if section.is_rejected() {
        return Err(Error::AudioDisabled);
    }
    if !section.direction.receives() {
        return Err(Error::NotReceiving(section.direction));
    }
    let transport = Transport::of(offer, section)?;
    let formats = common_formats(section, codecs);
    let Some(&(codec, payload_type)) = formats.first() else {
        let offered = section.codec_names();
        return Err(Error::NoCommonCodec { offered });
    };
    let negotiated = Negotiated::new(offer, section, transport, codec, payload_type);
    Ok((formats, negotiated))
}

/// The codecs both ends know, in the order of the `m=` line, which is the peer's preference; the
/// order of its `a=rtpmap` lines says nothing. Each codec once.
fn common_formats(section: &MediaSection, codecs: &[CodecDescription]) -> Vec<Format> {
    let mut formats: Vec<Format> = Vec::new();
    for format in &section.formats {
        let Some(rtpmap) = format
            .parse()
            .ok()
            .and_then(|number| section.rtpmap(number))
        else {
            continue;
        };
        let Some(codec) = codecs.iter().position(|codec| codec.matches(&rtpmap)) else {
            continue;
        };
        let known = formats.iter().any(|(other, _)| *other == codec);
        if !known && !collides_with_rtcp(rtpmap.payload_type) {
            formats.push((codec, rtpmap.payload_type));
        }
    }
    formats
}

fn accepted_lines(
    local: &LocalDescription,
    offer: &SessionDescription,
    section: &MediaSection,
    setup: Setup,
    formats: &[Format],
    codecs: &[CodecDescription],
) -> Vec<String> {
    let numbers: Vec<_> = formats
        .iter()
        .map(|(_, number)| number.to_string())
        .collect();
    let mut lines = local.media_lines(&section.proto, &numbers.join(" "));
    lines.push(RTCP_LINE.to_owned());
    lines.extend(local.transport_lines(setup));
    lines.extend(section.mid.iter().map(|mid| format!("a=mid:{mid}")));
    if section.extmap_allow_mixed && !offer.extmap_allow_mixed {
        lines.push("a=extmap-allow-mixed".to_owned());
    }
    for uri in [MID_URI, AUDIO_LEVEL_URI] {
        lines.extend(agreed_extension(section, uri).map(|extmap| extmap.answer_line()));
    }
    lines.extend(["a=sendonly".to_owned(), "a=rtcp-mux".to_owned()]);
    // No a=rtcp-mux-only: RFC 8858 §4 has it in offers only.
    if section.rtcp_rsize {
        lines.push("a=rtcp-rsize".to_owned());
    }
    for (codec, payload_type) in formats {
        lines.extend(codecs[*codec].lines(*payload_type));
    }
    lines.extend(local.source_lines());
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
fn answered_ice_options(section: &MediaSection) -> String {
    let offered = section.ice_options.iter().map(String::as_str);
    let known: Vec<_> = offered
        .filter(|option| ICE_OPTIONS.contains(option))
        .collect();
    known.join(" ")
}

/// Trickled candidates of the peer do no harm to a lite agent, which needs none; `ice2` is RFC 8445.
const ICE_OPTIONS: [&str; 2] = ["trickle", "ice2"];
