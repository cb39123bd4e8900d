//! The words of a trace that are of a few kinds: rules, kinds of credentials, states, blind spots.
//!
//! In: nothing. Out: enums that are written as words. Promise: a word is written in one place.

use serde::Serialize;

macro_rules! words {
    ($($(#[doc = $doc:literal])+ $name:ident { $($(#[doc = $what:literal])+ $variant:ident $word:literal;)+ })+) => {
        $(
            $(#[doc = $doc])+
            #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
            pub enum $name {
                $($(#[doc = $what])+ #[serde(rename = $word)] $variant,)+
            }

            impl $name {
                const ALL: &[$name] = &[$($name::$variant,)+];

                /// The word for it.
                pub fn as_str(self) -> &'static str {
                    match self {
                        $($name::$variant => $word,)+
                    }
                }
            }

            impl Default for $name {
                /// The first.
                fn default() -> Self {
                    $name::ALL[0]
                }
            }
        )+
    };
}

words! {
    /// What a trace is asked, in the order of its answers.
    Asked {
        /// The credential and its owner.
        Subject "What is it, and whose?";
        /// When it began.
        FirstUse "First suspicious use?";
        /// Addresses and programs.
        Sources "From where?";
        /// Calls, failed and denied.
        Tried "What did it try?";
        /// What came out of it.
        Issued "Which credentials were issued?";
        /// Permissions granted.
        Gained "Were permissions gained?";
        /// Ways back in.
        Persistence "Can the intruder come back?";
        /// Secrets, objects, items.
        DataRead "Which secrets and data were read?";
        /// Data that left the accounts.
        SentOutside "Was anything sent outside?";
        /// What was destroyed, and what costs money.
        Damage "Was anything destroyed, or were costs run up?";
        /// What blinds.
        Logging "Was logging stopped or changed?";
        /// Where it called.
        Places "Which accounts and regions?";
        /// Whether it goes on.
        Over "Is it over?";
        /// Other credentials in the same hands.
        Others "Is anyone else affected?";
        /// What is left of it.
        CleanUp "What has to be cleaned up?";
        /// The limits of the answers.
        Certainty "What could be missing?";
    }
    /// The rule that links a credential to the one that it came from; `docs/trace.md` has them.
    Rule {
        /// It links nothing: the trace starts here.
        Start "start";
        /// The key in an answer.
        J1 "J1";
        /// The session's unique id in an answer, and the time.
        J2 "J2";
        /// Role, session name and time.
        J3 "J3";
        /// The same call in another account's log.
        J4 "J4";
        /// The source identity of a chain.
        J5 "J5";
        /// A console session that switched roles, or of a user who got a password.
        J6 "J6";
        /// The same sign-in.
        J7 "J7";
        /// The request that launched an instance.
        J8 "J8";
        /// Credentials issued to a function.
        J9 "J9";
        /// What was made acts under its name.
        J10 "J10";
        /// AWS services called on the principal's behalf.
        ForwardAccess "forward access";
        /// A console session of the same principal.
        Console "console";
        /// Another session of the same principal.
        SamePrincipal "same principal";
    }
    /// What kind of credential it is.
    CredentialKind {
        /// An access key that does not expire.
        LongTerm "long-term";
        /// The key of a session.
        Temporary "temporary";
        /// A session without a key.
        Console "console";
    }
    /// How an event belongs to a trace.
    Relation {
        /// Made by a credential of the tree.
        By "by";
        /// Made by others about the tree.
        About "about";
    }
    /// Whether what was made is still there, as far as the logs show.
    State {
        /// No event removed it.
        There "there";
        /// The tree removed it itself.
        RemovedByTree "removed by the tree";
        /// Others removed it.
        RemovedByOthers "removed by others";
    }
    /// What a call did.
    Change {
        /// Made something new.
        Created "created";
        /// Changed what was there.
        Changed "changed";
        /// Removed what was there.
        Removed "removed";
    }
    /// Who used a credential.
    UsedBy {
        /// Nothing tells.
        Unknown "unknown";
        /// The intruder alone.
        Intruder "intruder";
        /// The intruder and others.
        Both "both";
        /// It looks like an intruder.
        Suspicious "suspicious";
        /// The owner.
        Owner "owner";
    }
    /// What the logs do not show.
    BlindSpot {
        /// Data events are not logged, or not all.
        DataEvents "data events";
        /// Days without events.
        Days "days";
        /// Log files or records that could not be read.
        Rejected "rejected";
        /// Regions that are not in these logs.
        Regions "regions";
        /// Accounts that are not in these logs.
        Accounts "accounts";
        /// Sessions that no event issued.
        Orphan "orphan";
        /// Credentials that were issued and never seen in use.
        IssuedNotSeen "issued, not seen";
        /// Credentials that can be made without an event.
        PossibleCredential "possible credential";
        /// What the owner made or changed.
        NotFollowed "not followed";
        /// A region that fell silent after logging was stopped.
        Silence "silence";
    }
}

impl From<super::Origin> for UsedBy {
    fn from(origin: super::Origin) -> Self {
        match origin {
            super::Origin::Intruder => UsedBy::Intruder,
            super::Origin::Suspicious => UsedBy::Suspicious,
            super::Origin::Unknown => UsedBy::Unknown,
            super::Origin::Owner => UsedBy::Owner,
        }
    }
}
