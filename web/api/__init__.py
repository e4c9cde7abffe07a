"""The routes that screens, crews' phones and other programs call."""
