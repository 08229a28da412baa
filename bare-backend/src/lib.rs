//! A backend of Molen.
