//! Rules that need the inside of the store to be shown.
