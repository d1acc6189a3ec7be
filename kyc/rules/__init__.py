"""Rules of KYC: pure Python, no database and no Django."""
