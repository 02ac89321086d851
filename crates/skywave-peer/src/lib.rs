//! One WebRTC audio peer and the hub of all peers, without sockets, clocks or threads.
