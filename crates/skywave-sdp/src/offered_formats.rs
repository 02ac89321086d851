//! The formats of an offer and their payload types.

use crate::format::Format;
use crate::{FeedbackKind, Rtpmap, SendCapabilities};

/// Codecs, redundancy, telephone events, comfort noise, retransmission, in this order. One for
/// which no payload type is left is not offered.
pub(crate) fn offered_formats(
    capabilities: &SendCapabilities<'_>,
    feedback: &[FeedbackKind],
) -> Vec<Format> {
    let codecs: Vec<_> = (capabilities.codecs.iter().enumerate())
        .map(|(index, own)| Format::codec(index, own, own.payload_type, feedback.to_vec()))
        .collect();
    let mut free = free_payload_types(&codecs);
    let mut formats = codecs.clone();
    if capabilities.red {
        let opus = codecs.iter().filter(|own| own.rtpmap.encoding == "opus");
        formats.extend(opus.filter_map(|own| {
            let rtpmap = numbered("red", &own.rtpmap, &mut free)?;
            Some(Format::redundancy(rtpmap, own.payload_type()))
        }));
    }
    if capabilities.telephone_event {
        formats.extend(first_of_each_rate(&codecs).filter_map(|own| {
            let mono = Rtpmap {
                channels: 1,
                ..own.rtpmap.clone()
            };
            let rtpmap = numbered("telephone-event", &mono, &mut free)?;
            Some(Format::telephone_event(rtpmap, u16::MAX))
        }));
    }
    if capabilities.comfort_noise {
        formats.extend(comfort_noise(&codecs));
    }
    if capabilities.rtx && capabilities.nack {
        formats.extend(codecs.iter().filter_map(|own| {
            let rtpmap = numbered("rtx", &own.rtpmap, &mut free)?;
            let (codec, time) = (own.payload_type(), capabilities.rtx_time);
            Some(Format::retransmission(rtpmap, codec, time))
        }));
    }
    formats
}

/// Numbers without a meaning of their own, the first to use at the end: the dynamic ones, then
/// those of RFC 5761 §4 for when they are exhausted.
fn free_payload_types(codecs: &[Format]) -> Vec<u8> {
    let is_free = |number: &u8| codecs.iter().all(|codec| codec.payload_type() != *number);
    (35..=63)
        .rev()
        .chain((96..=127).rev())
        .filter(is_free)
        .collect()
}

/// A free number for `encoding` with the clock rate and channels of a codec.
fn numbered(encoding: &str, like: &Rtpmap, free: &mut Vec<u8>) -> Option<Rtpmap> {
    Some(Rtpmap {
        payload_type: free.pop()?,
        encoding: encoding.to_owned(),
        ..like.clone()
    })
}

fn first_of_each_rate(codecs: &[Format]) -> impl Iterator<Item = &Format> {
    let is_first = |(index, codec): &(usize, &Format)| {
        let mut before = codecs[..*index].iter();
        before.all(|other| other.rtpmap.clock_rate != codec.rtpmap.clock_rate)
    };
    let indexed = codecs.iter().enumerate();
    indexed.filter(is_first).map(|(_, codec)| codec)
}

/// Under its static payload type, beside codecs of the same clock rate.
fn comfort_noise(codecs: &[Format]) -> Option<Format> {
    let rtpmap = Rtpmap::from_static(COMFORT_NOISE)?;
    let same_rate = |own: &Format| own.rtpmap.clock_rate == rtpmap.clock_rate;
    let is_offered = codecs.iter().any(same_rate);
    is_offered.then(|| Format::comfort_noise(rtpmap))
}

/// RFC 3551 §6.
const COMFORT_NOISE: u8 = 13;
