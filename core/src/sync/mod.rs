//! What tasks wait for in one another.
//!
//! | file | concept |
//! |---|---|
//! | `wait_list` | those who wait for one thing, in order of arrival |

pub(crate) mod wait_list;
