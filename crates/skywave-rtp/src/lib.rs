//! RTP packets with their counters, header extensions, and RTCP.
