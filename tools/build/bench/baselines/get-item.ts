import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocument } from '@aws-sdk/lib-dynamodb';

const { APP_ENV: environment = '', AWS_REGION: region = '' } = process.env;
const documents = DynamoDBDocument.from(new DynamoDBClient({ region }));

/** One GetItem through our SDK: the minimum for a route with data. */
export const handler = async () => {
  await documents.get({
    TableName: `autowatering-users-${environment}`,
    Key: { uid: 'nobody', record: 'profile' },
  });
  return { statusCode: 200, body: '{}' };
};
