//! What makes one stream of packets of a track: an encoding, and the length of its packets.

use crate::{Encoding, Ptime};

/// An encoding, cut into packets of one length. Listeners that agree on both share the packets.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Packetization {
    /// How the audio is encoded.
    pub encoding: Encoding,
    /// How much of it a packet carries.
    pub ptime: Ptime,
}

impl Packetization {
    /// How many there are.
    pub const COUNT: usize = Encoding::ALL.len() * Ptime::ALL.len();

    /// All of them, each at its [`index`](Packetization::index).
    pub fn all() -> impl Iterator<Item = Self> {
        Encoding::ALL.into_iter().flat_map(|encoding| {
            let with = move |ptime| Self { encoding, ptime };
            Ptime::ALL.into_iter().map(with)
        })
    }

    /// Its place in tables of [`COUNT`](Packetization::COUNT) entries.
    #[must_use]
    pub fn index(self) -> usize {
        self.encoding.index() * Ptime::ALL.len() + self.ptime as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn index_is_the_place_among_all() {
        let indices = Packetization::all().map(Packetization::index);
        assert!(indices.eq(0..Packetization::COUNT));
    }
}
