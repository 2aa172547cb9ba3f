/** A failure with an HTTP status, which the gateway's error handler answers as `{"error": message}`. */
class Problem extends Error {
  constructor(
    readonly statusCode: number,
    message: string,
  ) {
    super(message);
  }
}

export class FileMissing extends Problem {
  constructor(path: string) {
    super(404, `Malformed request: GET ${path}`);
  }
}

/** A record, model or node that does not exist. */
export class NotFound extends Problem {
  constructor(message: string) {
    super(404, message);
  }
}

/** A change that the pages may not make. */
export class Forbidden extends Problem {
  constructor(message: string) {
    super(403, message);
  }
}

/** A change while another one is running. */
export class Busy extends Problem {
  constructor(message: string) {
    super(409, message);
  }
}
