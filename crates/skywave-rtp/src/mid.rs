//! The media identification a packet carries (RFC 9143 §15.2), with the id negotiated for it.

use std::fmt;

use crate::Error;

/// The mid of the media section a stream belongs to, and the header extension id it goes under.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Mid {
    extension_id: u8,
    len: u8,
    octets: [u8; Self::MAX_LEN],
}

impl Mid {
    /// The longest identification a packet carries, in octets.
    ///
    /// RFC 9143 §15.2 asks for short ones, three octets at best; sixteen are what the one-byte form
    /// takes (RFC 8285 §4.2).
    pub const MAX_LEN: usize = 16;

    /// A mid under the `a=extmap` id negotiated for `urn:ietf:params:rtp-hdrext:sdes:mid`.
    ///
    /// The id is checked by [`Packetizer::new`](crate::Packetizer::new), beside the other ids.
    ///
    /// # Errors
    /// [`Error::MidLength`] if `mid` is empty or longer than [`Self::MAX_LEN`] octets.
    pub fn new(extension_id: u8, mid: &str) -> Result<Self, Error> {
        let mut octets = [0; Self::MAX_LEN];
        match octets.get_mut(..mid.len()) {
            Some(place) if !mid.is_empty() => place.copy_from_slice(mid.as_bytes()),
            _ => return Err(Error::MidLength(mid.len())),
        }
        // At most MAX_LEN, so the cast loses nothing.
        let len = mid.len() as u8;
        Ok(Self {
            extension_id,
            len,
            octets,
        })
    }

    /// The header extension id.
    pub fn extension_id(&self) -> u8 {
        self.extension_id
    }

    /// The identification as it is sent.
    pub fn as_bytes(&self) -> &[u8] {
        &self.octets[..usize::from(self.len)]
    }
}

impl fmt::Debug for Mid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Mid({}: \"{}\")",
            self.extension_id,
            self.as_bytes().escape_ascii()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mid_of_one_to_sixteen_octets_is_taken() {
        let longest = "x".repeat(Mid::MAX_LEN);
        assert_eq!(Mid::new(3, "0").unwrap().as_bytes(), b"0");
        assert_eq!(
            Mid::new(3, &longest).unwrap().as_bytes(),
            longest.as_bytes()
        );
    }

    #[test]
    fn empty_and_overlong_mids_are_refused() {
        assert_eq!(Mid::new(3, ""), Err(Error::MidLength(0)));
        assert_eq!(Mid::new(3, &"x".repeat(17)), Err(Error::MidLength(17)));
    }

    #[test]
    fn debug_shows_id_and_text() {
        assert_eq!(
            format!("{:?}", Mid::new(4, "audio").unwrap()),
            "Mid(4: \"audio\")"
        );
    }
}
