//! RTCP as a listener writes it, octet by octet (RFC 3550 §6, RFC 4585 §6, RFC 5104 §4).

use skywave_rtp::ReportBlock;

/// The SSRC under which listeners report.
pub(crate) const LISTENER: u32 = 1;

/// A packet of 32 bits of header and a body of whole words.
pub(crate) fn packet(format: u8, packet_type: u8, body: &[u8]) -> Vec<u8> {
    assert!(body.len().is_multiple_of(4));
    let words = (body.len() / 4) as u16;
    let mut packet = vec![0x80 | format, packet_type];
    packet.extend(words.to_be_bytes());
    packet.extend(body);
    packet
}

/// A receiver report of one block (RFC 3550 §6.4.2).
pub(crate) fn receiver_report(block: &ReportBlock) -> Vec<u8> {
    let lost = u32::from(block.fraction_lost) << 24 | (block.cumulative_lost as u32 & 0xff_ffff);
    let words = [
        LISTENER,
        block.ssrc,
        lost,
        block.highest_sequence,
        block.jitter,
        block.last_sr,
        block.delay_since_last_sr,
    ];
    packet(1, 201, &octets(&words))
}

/// A receiver report of no block.
pub(crate) fn empty_report(ssrc: u32) -> Vec<u8> {
    packet(0, 201, &octets(&[ssrc]))
}

/// A generic NACK, a word for each number (RFC 4585 §6.2.1).
pub(crate) fn nack(media_ssrc: u32, lost: &[u16]) -> Vec<u8> {
    let mut words = vec![LISTENER, media_ssrc];
    words.extend(lost.iter().map(|&number| u32::from(number) << 16));
    packet(1, 205, &octets(&words))
}

/// A request to send no more than `mantissa * 2^exponent` bit/s with 40 octets of overhead
/// (RFC 5104 §4.2.1).
pub(crate) fn tmmbr(media_ssrc: u32, exponent: u32, mantissa: u32) -> Vec<u8> {
    let limit = exponent << 26 | mantissa << 9 | 40;
    packet(3, 205, &octets(&[LISTENER, 0, media_ssrc, limit]))
}

/// An extended report with a reference time (RFC 3611 §4.4).
pub(crate) fn reference_time(ntp: u64) -> Vec<u8> {
    let block = 4 << 24 | 2;
    packet(
        0,
        207,
        &octets(&[LISTENER, block, (ntp >> 32) as u32, ntp as u32]),
    )
}

/// An estimate of `mantissa * 2^exponent` bit/s (draft-alvestrand-rmcat-remb-03 §2.2).
pub(crate) fn remb(media_ssrc: u32, exponent: u32, mantissa: u32) -> Vec<u8> {
    let name = u32::from_be_bytes(*b"REMB");
    let estimate = 1 << 24 | exponent << 18 | mantissa;
    packet(15, 206, &octets(&[LISTENER, 0, name, estimate, media_ssrc]))
}

/// Words in network order.
pub(crate) fn octets(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}
