/// The application.
public enum App {}
