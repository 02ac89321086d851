//! Writing the common header of an RTCP packet (RFC 3550 §6.4.1) and what follows it.

/// Writes version, count, type, the length of the whole `packet` and the source; gives what
/// follows.
pub(crate) fn write_header(packet: &mut [u8], count: u8, packet_type: u8, ssrc: u32) -> &mut [u8] {
    // 32-bit words minus one; the longest packet has well under 2^16 of them.
    let [high, low] = ((packet.len() / 4 - 1) as u16).to_be_bytes();
    let body = put(packet, &[VERSION | count, packet_type, high, low]);
    put(body, &ssrc.to_be_bytes())
}

/// Writes `octets` to the front of `place`, which was sized to hold them; gives what follows.
pub(crate) fn put<'p>(place: &'p mut [u8], octets: &[u8]) -> &'p mut [u8] {
    let (front, rest) = place.split_at_mut(octets.len());
    front.copy_from_slice(octets);
    rest
}

/// Lends the first `needed` octets of `buffer`, cleared.
pub(crate) fn cleared(buffer: &mut [u8], needed: usize) -> Result<&mut [u8], crate::Error> {
    let available = buffer.len();
    let place = buffer
        .get_mut(..needed)
        .ok_or(crate::Error::BufferTooSmall { needed, available })?;
    place.fill(0);
    Ok(place)
}

const VERSION: u8 = 2 << 6;
/// The common header and the SSRC that follows it in every packet written here.
pub(crate) const HEADER_LEN: usize = 8;
