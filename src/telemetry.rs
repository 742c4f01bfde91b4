//! Logs of the program.
