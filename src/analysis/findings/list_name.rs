//! The lists that conditions can name.
//!
//! In: a name. Out: a [`ListName`]. Promise: every list has one name, in conditions and in the files of lists.

macro_rules! lists {
    ($($(#[doc = $doc:literal])+ $id:ident $name:literal;)*) => {
        /// A list that conditions can name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ListName {
            $($(#[doc = $doc])+ $id,)*
        }

        impl ListName {
            const ALL: &[ListName] = &[$(ListName::$id,)*];

            /// The name in conditions.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(ListName::$id => $name,)*
                }
            }
        }
    };
}

lists! {
    /// Accounts that may be trusted with something: partners, vendors; own accounts are among them.
    KnownAccounts "known_accounts";
    /// Users and roles for emergencies, by name or ARN: unusual use is expected of them.
    KnownPrincipals "known_principals";
    /// The organization's own accounts.
    OwnAccounts "own_accounts";
    /// Buckets of the own accounts.
    OwnBuckets "own_buckets";
    /// Buckets into which trails are delivered.
    TrailBuckets "trail_buckets";
    /// KMS keys that encrypt trails, by ARN.
    TrailKmsKeys "trail_kms_keys";
    /// Registries from which images may come, e.g. `111122223333.dkr.ecr.eu-west-1.amazonaws.com`.
    OwnRegistries "own_registries";
    /// Address ranges of the own networks; private addresses are always among them.
    VpcRanges "vpc_ranges";
    /// Access keys that were made in the incident.
    CreatedAccessKeys "created_access_keys";
    /// Users that were made in the incident, by name.
    CreatedUsers "created_users";
    /// Users who got a password in the incident, by name.
    CreatedLoginProfiles "created_login_profiles";
    /// Roles that were made in the incident, by name.
    CreatedRoles "created_roles";
    /// Policies that were made in the incident, by ARN.
    CreatedPolicies "created_policies";
    /// Policy versions that were made in the incident: ARN, `/`, version.
    CreatedPolicyVersions "created_policy_versions";
    /// Identity providers that were made in the incident, by ARN.
    CreatedIdentityProviders "created_identity_providers";
    /// Instances that were started in the incident, by id.
    CreatedInstances "created_instances";
    /// Snapshots that were made in the incident, by id.
    CreatedSnapshots "created_snapshots";
    /// Images that were made in the incident, by id.
    CreatedImages "created_images";
    /// Volumes that were made in the incident, by id.
    CreatedVolumes "created_volumes";
}

impl ListName {
    /// The list with this name.
    pub fn named(name: &str) -> Option<ListName> {
        ListName::ALL
            .iter()
            .copied()
            .find(|list| list.as_str() == name)
    }

    /// Every list, in the order of the documentation.
    pub fn all() -> &'static [ListName] {
        ListName::ALL
    }
}
