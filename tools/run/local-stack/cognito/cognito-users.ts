import { CognitoIdentityProvider } from '@aws-sdk/client-cognito-identity-provider';

export interface UserPool {
  readonly endpoint: string;
  readonly region: string;
  readonly userPoolId: string;
  readonly clientId: string;
}

export interface Tokens {
  readonly idToken: string;
  readonly accessToken: string;
}

/** Signs users up and in like the app, at the local Cognito or any other with password sign-in. */
export function cognitoUsers({ endpoint, region, userPoolId, clientId }: UserPool) {
  const client = new CognitoIdentityProvider({
    endpoint,
    region,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });

  return {
    /** Signs up and confirms a user; existing users are left unchanged. */
    async signUp(email: string, password: string): Promise<void> {
      try {
        const UserAttributes = [
          { Name: 'email', Value: email },
          { Name: 'email_verified', Value: 'true' },
        ];
        await client.signUp({ ClientId: clientId, Username: email, Password: password, UserAttributes });
        await client.adminConfirmSignUp({ UserPoolId: userPoolId, Username: email });
      } catch (error) {
        if (!(error instanceof Error && error.name === 'UsernameExistsException')) throw error;
      }
    },

    async logIn(email: string, password: string): Promise<Tokens> {
      const { AuthenticationResult: result } = await client.initiateAuth({
        ClientId: clientId,
        AuthFlow: 'USER_PASSWORD_AUTH',
        AuthParameters: { USERNAME: email, PASSWORD: password },
      });
      if (!result?.IdToken || !result.AccessToken) throw new Error('the login returned no tokens');
      return { idToken: result.IdToken, accessToken: result.AccessToken };
    },
  };
}
