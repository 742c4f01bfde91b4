//! Holds the parser to [`laws::repair`].
#![no_main]

use libfuzzer_sys::fuzz_target;
use rasid_fuzz::{hold, laws, let_contained_panics_be};

fuzz_target!(init: let_contained_panics_be(), |data: &[u8]| hold(laws::repair, data));
