//! Protects and unprotects SRTP and SRTCP packets in place.
