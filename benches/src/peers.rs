//! Other implementations of SRTP.

mod libsrtp;
mod rtc_srtp;
mod str0m;
mod webrtc_srtp;

pub use libsrtp::Libsrtp;
pub use rtc_srtp::RtcSrtp;
pub use str0m::Str0m;
pub use webrtc_srtp::WebrtcSrtp;
