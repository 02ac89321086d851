//! The formats of a peer's section that this end can send (RFC 9429 §5.3.1).

use crate::format::Format;
use crate::payload_type::parse_payload_type;
use crate::telephone_event::events;
use crate::{FeedbackKind, Fmtp, MediaSection, Rtpmap, SendCapabilities};

/// Each role once, under the peer's payload types, in the order of the `m=` line, which is the
/// peer's preference; the order of its `a=rtpmap` lines says nothing. Without a codec that both
/// ends know there is nothing beside one either.
pub(crate) fn agreed_formats(
    section: &MediaSection,
    capabilities: &SendCapabilities<'_>,
    feedback: &[FeedbackKind],
) -> Vec<Format> {
    let listed: Vec<_> = (section.formats.iter())
        .filter_map(|format| section.rtpmap(parse_payload_type(format)?))
        .filter(|rtpmap| !collides_with_rtcp(rtpmap.payload_type))
        .collect();
    let mut codecs: Vec<Format> = Vec::new();
    for rtpmap in &listed {
        let codec = agreed_codec(section, rtpmap, capabilities, feedback);
        codecs.extend(codec.filter(|codec| is_new(codec, &codecs)));
    }
    let mut formats: Vec<Format> = Vec::new();
    for rtpmap in &listed {
        let is_same = |codec: &&Format| codec.payload_type() == rtpmap.payload_type;
        let format = codecs
            .iter()
            .find(is_same)
            .cloned()
            .or_else(|| agreed_beside(section, rtpmap, &codecs, capabilities));
        formats.extend(format.filter(|format| is_new(format, &formats)));
    }
    formats
}

fn is_new(format: &Format, others: &[Format]) -> bool {
    others.iter().all(|other| other.role != format.role)
}

/// Of several codecs that differ only in their parameters, the one with the peer's number.
fn agreed_codec(
    section: &MediaSection,
    rtpmap: &Rtpmap,
    capabilities: &SendCapabilities<'_>,
    feedback: &[FeedbackKind],
) -> Option<Format> {
    let number = rtpmap.payload_type;
    let matching =
        || (capabilities.codecs.iter().enumerate()).filter(|(_, own)| own.matches(rtpmap));
    let (index, own) = matching()
        .find(|(_, own)| own.payload_type == number)
        .or_else(|| matching().next())?;
    let fed_back = feedback.iter().copied();
    let fed_back = fed_back.filter(|kind| section.feeds_back(number, *kind));
    Some(Format::codec(index, own, number, fed_back.collect()))
}

/// A format of use beside one of the agreed codecs, all of which have its clock rate.
fn agreed_beside(
    section: &MediaSection,
    rtpmap: &Rtpmap,
    codecs: &[Format],
    capabilities: &SendCapabilities<'_>,
) -> Option<Format> {
    let fmtp = section.fmtp(rtpmap.payload_type);
    let mut codecs = (codecs.iter()).filter(|own| own.rtpmap.clock_rate == rtpmap.clock_rate);
    let rtpmap = rtpmap.clone();
    match rtpmap.encoding.to_ascii_lowercase().as_str() {
        "red" if capabilities.red => {
            let codec = codecs.find(|own| is_redundancy_of(&fmtp, own.payload_type()))?;
            let mut format = Format::redundancy(rtpmap, codec.payload_type());
            if fmtp.parameters.is_empty() {
                format.fmtp.clear();
            }
            Some(format)
        }
        "telephone-event" if capabilities.telephone_event => {
            codecs.next()?;
            let events = events(&fmtp);
            (events != 0).then(|| Format::telephone_event(rtpmap, events))
        }
        "cn" if capabilities.comfort_noise && rtpmap.clock_rate == COMFORT_NOISE_RATE => {
            codecs.next()?;
            Some(Format::comfort_noise(rtpmap))
        }
        // Without NACK nothing would ask for it.
        "rtx" if capabilities.rtx => {
            let apt = parse_payload_type(fmtp.parameter("apt")?)?;
            let codec = codecs.find(|own| own.payload_type() == apt)?;
            let is_asked_for = codec.feedback.contains(&FeedbackKind::Nack);
            is_asked_for.then(|| Format::retransmission(rtpmap, apt, capabilities.rtx_time))
        }
        _ => None,
    }
}

/// Whether the parameter of `red`, a list such as `111/111`, names the codec. Old peers write none.
fn is_redundancy_of(fmtp: &Fmtp, codec: u8) -> bool {
    fmtp.parameters.first().is_none_or(|(list, _)| {
        list.split('/')
            .any(|item| parse_payload_type(item.trim()) == Some(codec))
    })
}

/// RFC 5761 §4: as the first byte of a packet, these look like RTCP.
fn collides_with_rtcp(payload_type: u8) -> bool {
    (64..=95).contains(&payload_type)
}

/// RFC 7874 §3 has comfort noise beside G.711 and advises against it beside Opus.
const COMFORT_NOISE_RATE: u32 = 8000;
