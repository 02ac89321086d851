//! What one packet says of its frame or tone, and the payload: the packet without its numbering.

use crate::red_payload::RedPayload;
use crate::sent_packet::Content;
use crate::{Error, History, NtpTime, OwnedFrame, TonePacket};

/// A packet without its numbering.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Body<'a> {
    pub(crate) marker: bool,
    pub(crate) payload_type: u8,
    /// On the media clock.
    pub(crate) timestamp: u32,
    /// V bit and level (RFC 6464 §3).
    pub(crate) level: u8,
    pub(crate) capture_time: Option<NtpTime>,
    payload: Payload<'a>,
}

impl<'a> Body<'a> {
    /// What `content` stands for; `primary` is the payload type of the stream's frames.
    #[inline]
    pub(crate) fn new(history: &'a History, content: &Content, primary: u8) -> Result<Self, Error> {
        let (number, payload_type, red, capture_time) = match *content {
            Content::Tone { tone, payload_type } => return Ok(Self::of_tone(&tone, payload_type)),
            Content::Frame {
                number,
                payload_type,
                red,
                capture_time,
            } => (number, payload_type, red, capture_time),
        };
        let gone = Error::UnknownFrame(number);
        let frame = history.frame(number).ok_or(gone)?;
        let red = match red {
            None => None,
            Some(repeated) => {
                let red = RedPayload::new(history, number, repeated, primary);
                Some(red.ok_or(gone)?)
            }
        };
        Ok(Self::of_frame(frame, payload_type, red, capture_time))
    }

    /// The frame as it is, or in RED.
    #[inline]
    pub(crate) fn of_frame(
        frame: &'a OwnedFrame,
        payload_type: u8,
        red: Option<RedPayload<'a>>,
        capture_time: bool,
    ) -> Self {
        Self {
            marker: frame.marker,
            payload_type,
            timestamp: frame.timestamp,
            level: level(frame),
            capture_time: capture_time.then_some(frame.captured),
            payload: red.map_or(Payload::Octets(&frame.payload), Payload::Red),
        }
    }

    pub(crate) fn of_tone(tone: &TonePacket, payload_type: u8) -> Self {
        Self {
            marker: tone.marker,
            payload_type,
            timestamp: tone.timestamp,
            level: SILENCE,
            capture_time: None,
            payload: Payload::Tone(tone.event.to_bytes()),
        }
    }

    /// Octets of payload.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        match &self.payload {
            Payload::Octets(octets) => octets.len(),
            Payload::Red(red) => red.len(),
            Payload::Tone(octets) => octets.len(),
        }
    }

    /// Octets of payload that repeat earlier frames.
    #[inline]
    pub(crate) fn redundant_len(&self) -> usize {
        match &self.payload {
            Payload::Red(red) => red.redundant_len(),
            _ => 0,
        }
    }

    /// Fills `payload`, which has the length [`Self::len`].
    #[inline]
    pub(crate) fn write(&self, payload: &mut [u8]) {
        match &self.payload {
            Payload::Octets(octets) => payload.copy_from_slice(octets),
            Payload::Red(red) => red.write(payload),
            Payload::Tone(octets) => payload.copy_from_slice(octets),
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Payload<'a> {
    Octets(&'a [u8]),
    Red(RedPayload<'a>),
    Tone([u8; 4]),
}

fn level(frame: &OwnedFrame) -> u8 {
    let voice = if frame.voice { VOICE } else { 0 };
    voice | frame.audio_level.min(SILENCE)
}

/// The V bit of RFC 6464 §3.
const VOICE: u8 = 1 << 7;
/// -127 dBov, the lowest level (RFC 6464 §3).
const SILENCE: u8 = 127;
