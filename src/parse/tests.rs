//! What is read of whole documents.
