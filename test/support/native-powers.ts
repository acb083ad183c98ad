// Makes sign-ins by SRP fast in the tests that are not about SRP.
import '@countersign/local-aws/testing/native-powers';
