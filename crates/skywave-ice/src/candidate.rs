//! The computed fields of a host candidate (RFC 8445 §5.1.1.3, §5.1.2.1; RFC 8839 §5.1).

/// The priority of a host candidate of component 1 (RFC 8445 §5.1.2.1).
///
/// `local_preference` orders the host candidates of one agent, higher is preferred; each address
/// must have its own (RFC 8445 §5.1.2.1), and 65535 is for an agent with a single address.
#[must_use]
pub fn host_priority(local_preference: u16) -> u32 {
    (HOST_TYPE_PREFERENCE << 24) | (u32::from(local_preference) << 8) | (256 - COMPONENT)
}

/// The PRIORITY of a check from this base: what a peer-reflexive candidate learnt from it would
/// have (RFC 8445 §7.1.1). The caller prefers its bases in their order.
pub(crate) fn peer_reflexive_priority(base: u8) -> u32 {
    let local_preference = u32::from(u16::MAX) - u32::from(base);
    (PEER_REFLEXIVE_TYPE_PREFERENCE << 24) | (local_preference << 8) | (256 - COMPONENT)
}

/// The foundation of the host candidate with this index: 1 to 3 digits, different for different
/// indices, as the bases of a lite agent differ in address (RFC 8445 §5.2).
#[must_use]
pub fn host_foundation(index: u8) -> String {
    index.to_string()
}

const HOST_TYPE_PREFERENCE: u32 = 126;
const PEER_REFLEXIVE_TYPE_PREFERENCE: u32 = 110;
/// With rtcp-mux there is the RTP component only.
const COMPONENT: u32 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_only_host_candidate_has_the_well_known_priority() {
        assert_eq!(host_priority(65_535), 2_130_706_431);
    }

    #[test]
    fn local_preference_orders_priorities() {
        assert_eq!(host_priority(65_534), 2_130_706_175);
        assert!(host_priority(1) > host_priority(0));
    }

    #[test]
    fn foundations_differ_by_index() {
        assert_eq!(host_foundation(0), "0");
        assert_eq!(host_foundation(255), "255");
    }
}
